// Package highlight shows the words of a query in the documents that it found, as the unified and the plain highlighter of
// Elasticsearch 8 do.
//
// Only core/storage/embedded may import it. It finds no documents: it is given them, and takes their texts apart anew, so that
// nothing has to be kept for it. It is pure, and knows neither segments nor scores of hits.
//
// # Where it differs from Elasticsearch
//
//   - A keyword with a normalizer is shown as it is indexed.
//   - Words that a prefix in a phrase stands for are all shown, however many there are.
//   - The plain highlighter looks for phrases with a slop as searches do, and Elasticsearch for words that are near in any order.
//     A text in which a phrase is found may be cut at another word. Of several values in which more is found than is wanted, others
//     may be shown.
//   - Whether clauses for other fields match is not known. What must match together with them is shown when it is found, and
//     so are the words of a terms_set that counts by a field.
//   - A phrase with a slop and a word twice is shown from its first to its last word; Elasticsearch shows what follows, too.
//   - All words near a fuzzy one are shown, whatever max_expansions says.
//   - Sentences and words end by rules for the languages that are written with spaces; Elasticsearch has dictionaries for others.
package highlight
