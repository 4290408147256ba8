// Package migrate copies everything that one engine of documents holds into another, and looks whether it is the same.
//
// It is for a node that is to keep its documents somewhere else, once: from the embedded engine to Elasticsearch or back. It is
// not for copies that follow a source that changes, and not for what a node keeps beside its engine. It knows engines by the seam of
// core/storage alone. core/node imports it.
//
// # What is copied
//
// The indexes and collections of both scopes, with the mappings, settings and keywords that Describe gives, and the documents with
// their versions. Of a deleted document nothing is copied: when it is created again its versions begin at 1.
//
// # The mark
//
// As long as a migration has not ended the target holds the internal collection Mark. Its document "migration" says from where to
// where documents are copied, and there is one more for each collection: up to which id it has been copied, in the order of ids, or
// that it is whole. So a migration that was interrupted at any moment goes on where it was: what may have been written after the mark
// is written again, which changes nothing. A target that holds something else but no mark is refused, and so is the mark of another
// migration. The last thing that a migration does is to remove the mark. A node does not start on documents with a mark, Unfinished.
//
// # What is compared
//
// In the end both engines are read again, document by document in the order of ids: ids, versions, and sources, as text without the
// white space between its parts, so that digits and the order of members count. The checksum of a collection is the SHA-256 of all
// that. Mappings, settings and keywords are compared by what they say. A collection that differs is marked, and copied
// anew when the migration is run again.
package migrate
