// Package query reads the Elasticsearch 8 query language: the query of a search, a count or a by-query action, and whole
// search bodies with sort, paging, source filters and aggregations. Koncorde turns a filter into such a query.
//
// It decides for every engine what is accepted. The embedded engine executes what Parse and ParseSearch give; the elastic
// engine passes the original text on after the same check, so a query means the same on both, and what is refused is
// refused with the same error. It is pure: it knows no mapping, no document and no clock. It does not say whether a field
// exists or which values suit it, and it does not execute anything.
//
// What a client can do about a refusal stands in its error:
//
//   - services.storage.unknown_query_keyword names a clause or an aggregation that does not exist. Its third
//     prop says what may help, such as lang=koncorde for a Koncorde filter.
//   - services.storage.invalid_query_keyword names a script. Scripts are never accepted.
//   - services.storage.invalid_search_query names a key that a search body must not have.
//   - services.storage.unexpected_bad_request says everything else, with the path of the clause: what is malformed, what is
//     not supported yet, and which bound is exceeded.
//
// The order of keys means nothing, except in a sort. Values of documents keep their JSON form, so that integers above 2^53
// stay exact. What the functions return refers to the bytes they were given, which must not change afterwards, and may be
// read by any number of goroutines.
//
// The engines and packages above core/storage may import it. It imports core/storage, core/spelling, protocol/kerror,
// core/storage/query/dates and core/storage/query/geometry.
package query
