// Package search executes the queries of core/storage/query over the segments of the embedded engine: it finds, scores, sorts
// and pages documents, and passes what it found on to core/storage/embedded/aggregation.
//
// Only core/storage/embedded and its children may import it. It does not read documents, keep scrolls, limit windows or choose
// what a hit shows.
//
// # How a search runs
//
//  1. The query, the post filter and the sort are compiled for each target, by its mapping. What does not suit the mapping
//     fails here, with services.storage.unexpected_bad_request.
//  2. When scores are wanted, the statistics of the fields and terms that are scored are gathered over all views of a target,
//     dead documents included, as Lucene does.
//  3. Every view is searched by itself, with its lock held, and the best documents of all views are merged. A lock is held for
//     maxHold at most: then the search fails with ErrHeld.
//
// In a view a clause gives a set: a bitmap when the segment has one, otherwise something that can go through its documents or
// tell for some documents which are in it, such as a range over a column. A conjunction goes through its cheapest set and
// asks the others. Clauses that give all documents one score are sets too; only texts, and what combines scores, go through
// documents one by one.
//
// # Where it differs from Elasticsearch
//
//   - Documents with equal keys come in the order of the targets, then in that of their writes, whatever a merge did.
//   - _id can be sorted by, and the values of _doc are the positions of the documents.
//   - Distances of a sort are measured as asked; Elasticsearch measures no plane when it sorts by metres to a single point. They
//     are the same to about seven digits.
//   - exists with the field * finds documents with any field.
//   - A completion is not crowded out by other texts of the same document, so that there are as many options as asked for.
//   - The scores of suggested phrases know how many different terms there are in the segment with most, where Elasticsearch knows it
//     only of a single segment; and a search that would try more than maxTried words for one is refused.
//   - A search that takes longer than its search_timeout fails; Elasticsearch answers what it has.
//   - A clause that does not suit the mapping is refused always; Elasticsearch does not look at it when the bool around it has
//     another clause by which nothing can match.
//   - The text of a clause has at most maxWords words, the prefixes of a search stand for at most maxExpansions terms, and its
//     clauses need at most maxBytes of memory. Elasticsearch counts all as clauses, of which it allows fewer.
//   - A word that is looked for fuzzily stands for at most maxNeighbours terms, whatever max_expansions says.
//   - Expressions of a regexp need at most 10000 states, whatever max_determinized_states says.
package search
