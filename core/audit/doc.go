// Package audit is the record of what matters to security: who did what, from where, when, and how it ended. It is a file of
// JSON lines that only grows, apart from the log for operators:
//
//   - What is recorded stands in one table (Audited), with what is left out on purpose (Exempt); a test of core/node fails
//     for an action of auth, security or admin that is in neither.
//   - The funnel is the one place that all requests pass, so it records them; core/node records what is no request.
//   - An Event has room for ids and for fingerprints of tokens, and for nothing that a client sends beside: no body, no name
//     that somebody tried to log in with, no text of an error.
//   - Every line holds the hash of the line before, so that a line that was changed or taken out shows; see Verify.
//
// Log writes in the background. File is the file with its rotation.
//
// It knows the words of the protocol and nothing of the parts that it watches. The funnel, core/node and cmd import it.
package audit
