package config

// Storage is the section storage.
type Storage struct {
	Engine    string `config:"engine" doc:"Engine that keeps the documents." oneof:"embedded"`
	CacheSize Size   `config:"cacheSize" doc:"Memory of the embedded engine for blocks read from disk." min:"1MB"`
}

func defaultStorage() Storage {
	return Storage{Engine: "embedded", CacheSize: 16 * MB}
}
