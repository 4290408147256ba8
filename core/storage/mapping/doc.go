// Package mapping knows what the fields of a collection are: it reads mappings, merges them as Elasticsearch 8 does, writes
// them back, and takes documents apart by them into typed values.
//
// The embedded engine indexes documents by it. The elastic engine and the collection controller check with it what they are
// given, so that a mapping or a document is refused for the same reason and with the same error on both engines. It does
// not take texts apart, index, search or store anything, and it does not add _kuzzle_info to documents. It is pure.
//
// # What is supported
//
// The types keyword, text, long, integer, short, byte, unsigned_long, double, float, half_float, scaled_float, boolean, date,
// ip, geo_point, the ranges (integer_range, long_range, float_range, double_range, date_range, ip_range), object, nested,
// flattened, dense_vector, completion, geo_shape, binary (its values are neither checked nor yielded) and alias (it cannot be written
// to). Every other type is services.storage.invalid_mapping_type, date_nanos among them. options.go lists the options
// of each type; every other is services.storage.unexpected_properties, so that nothing is accepted and then ignored.
//
// dynamic is true, false or strict, as a boolean or a text, at every object, and inherited; "runtime" is refused. A mapping
// that does not say is not dynamic: that is the Kuzzle API's default, where Elasticsearch's is true.
//
// # Where it differs from Elasticsearch
//
//   - gt the greatest number of an integer_range or a long_range is that number; Elasticsearch begins with the least one again.
//   - A geo_point out of range is dropped under ignore_malformed; Elasticsearch moves it somewhere on earth.
//   - A geo_shape out of range is refused; Elasticsearch goes on around the earth.
//   - A dense_vector says how many dims it has, and lists of numbers never become one by themselves.
//   - Texts for floating-point fields cannot be hexadecimal.
//   - Options that say what holds anyway ("index": true) are not written back.
//   - Values are dropped under ignore_malformed without a list of the fields they were dropped from (_ignored).
//
// # What a client can do about a refusal
//
//   - services.storage.invalid_mapping: rename the property as the hint says.
//   - services.storage.unexpected_properties, invalid_mapping_type, invalid_mapping_argument, wrong_mapping_property: change
//     what the error names in the mapping. invalid_mapping_argument carries the reason as its third prop.
//   - services.storage.cannot_change_mapping: make a new collection. Its props are the field and, when it is not the type that
//     differs, the option.
//   - services.storage.strict_mapping_rejection: add the field to the mapping, or leave it out.
//   - services.storage.unexpected_bad_request: a value does not fit its field, or a bound is exceeded; the text says which.
//
// The engines and packages above core/storage may import it. It imports protocol/kerror, core/storage/query for points,
// core/storage/query/geometry for shapes, core/storage/query/dates, and core/storage/analysis for what the settings of a collection
// define.
package mapping
