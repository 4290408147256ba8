// Package nodetest gives tests a real node on a free port of 127.0.0.1: in the process of the test, where faults can be
// injected (Start), or as the binary that users run (Binaries). Plugins are real binaries in both.
//
// Tests of every package may import it, and nothing else.
package nodetest
