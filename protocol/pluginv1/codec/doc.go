// Package codec turns requests, replies and errors into the messages of the plugin protocol and back. The plugin host uses
// one direction and the SDK the other, so both stand here, beside one test that nothing is lost.
//
// Bytes are not copied: what comes out refers to what went in.
package codec
