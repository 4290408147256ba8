// Package analysis takes texts apart into the words that are indexed and looked for, as the built-in analyzers of
// Elasticsearch 8 do under the same names.
//
// core/storage/embedded and its children may import it. It knows no mappings, documents or queries.
package analysis
