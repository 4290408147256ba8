// Package analysis takes texts apart into the words that are indexed and looked for, as the built-in analyzers of
// Elasticsearch 8 do under the same names, or as the settings of a collection put them together of tokenizers and filters.
//
// core/storage/mapping and core/storage/embedded with its children may import it. It knows no mappings, documents or queries.
//
// Filters in a chain multiply what the ones before made, so that short texts can become more than fits into memory. A Budget bounds
// that, for all texts of a document or of a search together. Elasticsearch has no such bound.
//
// # What differs
//
// All analyzers give the words and positions that Elasticsearch 8.14 gives, compared over texts recorded from it, with these
// exceptions:
//
//   - finnish may cut one character more from a word that holds a character which is neither a vowel nor a consonant of
//     Finnish: an apostrophe, a digit, a letter of another alphabet. Numbers without letters stay as they are.
//   - french may leave an accent on a letter that follows directly on two that became equal when they lost theirs.
//   - simple and stop know the letters of Unicode 15; Elasticsearch those of its Java.
//
// The lists of stop words and the stemmers come from bleve and Snowball, the rest, the rules of words and characters above
// all, is here, because bleve tells emoji, scripts without spaces and long words apart in other ways.
package analysis
