// Package koncorde is the filter language: it reads a filter, brings it into one canonical form, and says which documents
// it matches. Koncorde is the name that Kuzzle gave the language.
//
// Three parts, each usable alone:
//   - [Parse] checks a filter and explains what is wrong with it;
//   - [Filter.Normalise] gives the disjunctive normal form, so that filters that mean the same get the same [RoomID];
//   - [Normal.Match] asks one filter about a [Document], and a [Matcher] finds those of many filters that match, without
//     trying each.
//
// # What a filter means
//
// A document is seen flattened: each member of a nested object has a dotted path (`a.b.c`), objects stay reachable under
// their own path, arrays are values and are not expanded. When two members have one path (`{"a":{"b":1},"a.b":2}`) the
// later one counts. `_id` is the document's id.
//
// A condition on a path that the document lacks, or whose value has the wrong type, is false, so its negation is true. Geo
// conditions are the exception: about a value that is no point they say nothing, neither inside nor outside, and what
// cannot be decided without them does not match. `not: {and: [geo, x]}` is therefore `or: [outside, not x]`. A select is
// true or false whatever its query asks.
//
// Numbers are compared by their mathematical value: 1, 1.0 and 10e-1 are one number; 9007199254740993 and
// 9007199254740992 are two.
//
// Regular expressions are RE2, always: their time grows with the length of the text. Look-around and references back are
// refused. The API has a setting, realtime.pcreSupport, for an engine that tries again and again; there is none here, because
// anybody who may subscribe could stop the node with one expression, and every write to the collection would wait for it. How
// many steps an expression has when its repetitions are written out is bounded, and so is the text that it looks at: in a text
// of more than 64 KiB nothing is found, as in a value that is no text, so the negation is true.
//
// # What a filter may cost
//
// A filter whose normal form would take more than some milliseconds to find is refused. A match ends after some milliseconds
// too: filters that were not decided until then do not match, whatever they negate, and the caller is told that there were
// such. Work is counted, not timed.
//
// # What it is not for
//
// It does not know subscriptions, channels or notifications (core/realtime), and it does not translate filters into search
// queries (core/storage/query). It is pure: no goroutines, no clock, no input or output.
//
// Every package of core above the protocol and every controller may import it.
package koncorde
