// Package automaton turns what clauses say about terms into automata that walk a dictionary: regular expressions in Lucene's
// syntax, wildcards and texts whose case does not matter.
//
// core/storage/embedded and its children may import it. It knows neither queries nor segments.
package automaton
