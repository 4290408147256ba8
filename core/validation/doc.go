// Package validation holds documents to the specifications of their collection: which fields there are, of which type, and
// which filters a document must match. It stores specifications where and as Kuzzle does, and keeps all of them compiled in
// memory.
//
// It does not know mappings, which say how an engine indexes a field and not whether a document is welcome, and it writes no
// document: controllers ask it before they write.
//
// # What a specification means
//
//	{"strict": bool, "fields": {"path": {…}}, "validators": [filter, …]}
//
// A path has one name a level, joined by "/"; every level above is declared with the type object. A field is {type,
// mandatory, defaultValue, description, multivalued: {value, minCount, maxCount}, typeOptions}. Null is as good as absent. A
// strict level takes no field but those declared; a level is as strict as the one above it unless typeOptions.strict of its
// object says otherwise. An object without declared fields takes any, unless it is strict itself. The member `_kuzzle_info`
// of a document is the node's and always welcome.
//
// Types, mandatory and strict are checked first, then the filters, each of which must match. Then defaults are filled in;
// they are not checked.
//
// The controllers and core/node import it.
package validation
