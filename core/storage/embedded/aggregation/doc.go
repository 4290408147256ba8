// Package aggregation computes the aggregations of a search over segments and answers them byte for byte as Elasticsearch 8
// does.
//
// Only core/storage/embedded and its children may import it. Which documents count is not its business: it is given them.
//
// # How
//
// Documents go through the tree of aggregations in batches. Every aggregation keeps its buckets in lists by number, and a
// batch says of each document which bucket of the aggregation above it is in, so that nothing is allocated for a document. A
// terms aggregation of a keyword reads the column of ordinals; what an ordinal stands for is looked up once for each segment.
//
// # What differs
//
//   - Elasticsearch answers with what is left when an aggregation fails on some of the collections; here it fails as a whole.
//   - min_doc_count 0 gives terms of live documents only; Elasticsearch gives those of deleted ones until it merges.
//   - A cardinality beyond its precision_threshold is an estimate, and another one than Elasticsearch's.
//   - Percentiles of more than 20 times the compression values are estimates, and others than Elasticsearch's.
//   - A bucket_sort by a number that a bucket has not, as the first one has no derivative, puts it last; Elasticsearch fails.
//   - The members of a bucket stand in the order of the request.
//   - Aggregations that would need more than maxBytes of memory are refused, their answer included.
package aggregation
