package config

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Elasticsearch is the section storage.elasticsearch.
type Elasticsearch struct {
	Addresses []string      `config:"addresses" doc:"URLs of the nodes of one cluster, of version 8. Names and passwords do not belong into them."`
	CloudID   string        `config:"cloudId" doc:"Id of a deployment in Elastic Cloud, in the place of addresses."`
	Username  string        `config:"username" doc:"Name to log in with. Empty: nobody logs in."`
	Password  Secret        `config:"password" doc:"Password of username."`
	APIKey    Secret        `config:"apiKey" doc:"API key in base64, as Elasticsearch gives it; it takes the place of username and password."`
	CAFile    string        `config:"caFile" doc:"PEM file with the authorities that may have signed the certificate of the cluster. Empty: those of the machine."`
	CertFile  string        `config:"certFile" doc:"PEM file with the certificate that the node shows to the cluster. Empty: none."`
	KeyFile   string        `config:"keyFile" doc:"PEM file with the key of certFile."`
	Timeout   time.Duration `config:"timeout" doc:"Time for one request to the cluster." min:"1ms"`

	ConnectTimeout        time.Duration `config:"connectTimeout" doc:"Time for a connection to the cluster to be made." min:"1ms"`
	StartTimeout          time.Duration `config:"startTimeout" doc:"How long a node that starts waits for the cluster, before it gives up. 0 does not wait."`
	MaxConcurrentRequests int           `config:"maxConcurrentRequests" doc:"Requests to the cluster that run at once. Further ones wait, and are answered that the engine is busy after timeout." min:"1" max:"10000"`
	BreakerFailures       int           `config:"breakerFailures" doc:"Requests in a row without an answer of a working cluster after which further ones fail at once, until it answers again." min:"1"`
	ProbeInterval         time.Duration `config:"probeInterval" doc:"Time between two questions whether the cluster works, which /_ready shows and which end what breakerFailures began." min:"10ms"`
}

const defaultAddress = "http://127.0.0.1:9200"

func defaultElasticsearch() Elasticsearch {
	return Elasticsearch{
		Addresses: []string{defaultAddress}, Timeout: 25 * time.Second, ConnectTimeout: 3 * time.Second, StartTimeout: time.Minute,
		MaxConcurrentRequests: 128, BreakerFailures: 5, ProbeInterval: 2 * time.Second,
	}
}

func (v *validation) elasticsearch() {
	if v.config.Storage.Engine != "elasticsearch" {
		return
	}
	e := v.config.Storage.Elasticsearch
	v.elasticsearchPlace(&e)
	if e.APIKey.IsSet() && (e.Username != "" || e.Password.IsSet()) {
		v.mistake("storage.elasticsearch.apiKey", "give either the key, or username and password", "is given beside a username or a password")
	}
	if e.Password.IsSet() && e.Username == "" {
		v.mistake("storage.elasticsearch.username", "give the name that the password belongs to", "is empty, but there is a password")
	}
	if (e.CertFile == "") != (e.KeyFile == "") {
		v.mistake("storage.elasticsearch.certFile", "give both certFile and keyFile, or none", "is given without its keyFile, or the other way round")
	}
}

func (v *validation) elasticsearchPlace(e *Elasticsearch) {
	if e.CloudID != "" {
		if !cloudID(e.CloudID) {
			v.mistake("storage.elasticsearch.cloudId", "copy it from the page of the deployment; it is like name:c29tZSBiYXNlNjQ=", "is no such id")
		}
		if !slices.Equal(e.Addresses, []string{defaultAddress}) {
			v.mistake("storage.elasticsearch.cloudId", "give either the id or addresses", "is given beside addresses")
		}
		return
	}
	if len(e.Addresses) == 0 {
		v.mistake("storage.elasticsearch.addresses", "give at least one, such as "+defaultAddress, "is empty")
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
}

// cloudID reports whether id is a name, a colon, and in base64 a host and the id of its Elasticsearch with a dollar sign between.
func cloudID(id string) bool {
	_, encoded, _ := strings.Cut(id, ":")
	place, err := base64.StdEncoding.DecodeString(encoded)
	host, rest, _ := strings.Cut(string(place), "$")
	cluster, _, _ := strings.Cut(rest, "$")
	if err != nil || host == "" || cluster == "" {
		return false
	}
	u, err := url.Parse("https://" + cluster + "." + host)
	return err == nil && u.User == nil && u.Path == "" && u.RawQuery == ""
}
