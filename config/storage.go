package config

// Storage is the section storage.
type Storage struct {
	Engine    string `config:"engine" doc:"Engine that keeps the documents: embedded in the data folder, or an Elasticsearch that several nodes may share." oneof:"embedded elasticsearch"`
	CacheSize Size   `config:"cacheSize" doc:"Memory of the embedded engine for blocks read from disk." min:"1MB"`
	IndexSize Size   `config:"indexSize" doc:"Memory of the embedded engine for the part of the search indexes that is not in files yet. All collections share it; when it is full the largest and oldest parts are written, and writes wait while the disk does not keep up." min:"1MB"`

	Elasticsearch Elasticsearch `config:"elasticsearch" doc:"Where Elasticsearch is, for the engine of that name."`
}

func defaultStorage() Storage {
	return Storage{Engine: "embedded", CacheSize: 64 * MB, IndexSize: 64 * MB, Elasticsearch: defaultElasticsearch()}
}
