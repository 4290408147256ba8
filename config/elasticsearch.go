package config

import (
	"net/url"
	"time"
)

// Elasticsearch is the section storage.elasticsearch.
type Elasticsearch struct {
	Addresses []string      `config:"addresses" doc:"URLs of the nodes of one cluster, of version 8. Names and passwords do not belong into them."`
	Username  string        `config:"username" doc:"Name to log in with. Empty: nobody logs in."`
	Password  Secret        `config:"password" doc:"Password of username."`
	APIKey    Secret        `config:"apiKey" doc:"API key in base64, as Elasticsearch gives it; it takes the place of username and password."`
	CAFile    string        `config:"caFile" doc:"PEM file with the authorities that may have signed the certificate of the cluster. Empty: those of the machine."`
	Timeout   time.Duration `config:"timeout" doc:"Time for one request to the cluster." min:"1ms"`
}

func defaultElasticsearch() Elasticsearch {
	return Elasticsearch{Addresses: []string{"http://127.0.0.1:9200"}, Timeout: 30 * time.Second}
}

func (v *validation) elasticsearch() {
	if v.config.Storage.Engine != "elasticsearch" {
		return
	}
	e := v.config.Storage.Elasticsearch
	if len(e.Addresses) == 0 {
		v.mistake("storage.elasticsearch.addresses", "give at least one, such as http://127.0.0.1:9200", "is empty")
	}
	for _, address := range e.Addresses {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			v.mistake("storage.elasticsearch.addresses", "give URLs such as https://search.example.org:9200", "one is no URL of http or https")
		case u.User != nil:
			v.mistake("storage.elasticsearch.addresses", "use storage.elasticsearch.username and password", "one holds a name or a password, which would be shown")
		}
	}
	if e.APIKey.IsSet() && (e.Username != "" || e.Password.IsSet()) {
		v.mistake("storage.elasticsearch.apiKey", "give either the key, or username and password", "is given beside a username or a password")
	}
	if e.Password.IsSet() && e.Username == "" {
		v.mistake("storage.elasticsearch.username", "give the name that the password belongs to", "is empty, but there is a password")
	}
}
