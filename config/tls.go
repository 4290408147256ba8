package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// TLS is the section server.tls. A node speaks TLS on all its ports or on none.
type TLS struct {
	CertFile       string        `config:"certFile" doc:"PEM file with the certificate, followed by those between it and its authority. With it, or with server.tls.acme.enabled, every port of the node speaks TLS and nothing else: HTTP, WebSocket, MQTT and the listeners of plugins."`
	KeyFile        string        `config:"keyFile" doc:"PEM file with the private key of the certificate."`
	ReloadInterval time.Duration `config:"reloadInterval" doc:"How often both files are looked at. A new pair is used for new connections, open ones stay; a pair that does not fit leaves the old one in use." min:"10ms"`
	MinVersion     string        `config:"minVersion" doc:"Oldest version of TLS that clients may speak." oneof:"1.2 1.3"`
	ClientCAFile   string        `config:"clientCaFile" doc:"PEM file with the authorities of client certificates, read at the start. With it nobody connects without such a certificate, probes and metrics neither; it does not log a user in."`
	HSTSMaxAge     time.Duration `config:"hstsMaxAge" doc:"How long browsers shall call this host over TLS alone (header Strict-Transport-Security); 0 says nothing about it. Browsers do not forget it earlier." min:"0s"`
	ACME           ACME          `config:"acme" doc:"Certificates from an authority that speaks ACME, such as Let's Encrypt. It must reach the node on port 443 (TLS-ALPN-01), or on port 80 at server.tls.acme.httpPort (HTTP-01)."`
}

// ACME is the section server.tls.acme.
type ACME struct {
	Enabled      bool     `config:"enabled" doc:"Get certificates and renew them, in place of server.tls.certFile. It accepts the authority's terms of service."`
	Domains      []string `config:"domains" doc:"Host names of the node, without wildcards. Clients that name no host get the certificate of the first."`
	Email        string   `config:"email" doc:"Where the authority writes to when something is wrong."`
	CacheDir     string   `config:"cacheDir" doc:"Folder of the account's key, the certificates and their keys; empty = acme in server.dataDir."`
	DirectoryURL string   `config:"directoryUrl" doc:"The authority. Try with https://acme-staging-v02.api.letsencrypt.org/directory first: the real one bears few mistakes."`
	CAFile       string   `config:"caFile" doc:"PEM file with the authorities that directoryUrl is trusted by; empty = those of the system."`
	HTTPPort     int      `config:"httpPort" doc:"Port that answers the authority's challenges over plain HTTP, and nothing else; 0 = none." min:"0" max:"65535"`
}

func defaultTLS() TLS {
	return TLS{
		ReloadInterval: 10 * time.Second,
		MinVersion:     "1.2",
		ACME:           ACME{DirectoryURL: "https://acme-v02.api.letsencrypt.org/directory"},
	}
}

// Enabled reports whether the node speaks TLS.
func (t TLS) Enabled() bool { return t.CertFile != "" || t.ACME.Enabled }

// ACMECacheDir is where keys and certificates of server.tls.acme are kept.
func (s Server) ACMECacheDir() string {
	if s.TLS.ACME.CacheDir != "" {
		return s.TLS.ACME.CacheDir
	}
	return filepath.Join(s.DataDir, "acme")
}

func (v *validation) tls() {
	t := v.config.Server.TLS
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		v.mistake("server.tls.keyFile", "give the file of the certificate's key", "is empty, but server.tls.certFile is not")
	case t.CertFile == "" && t.KeyFile != "":
		v.mistake("server.tls.certFile", "give the file of the key's certificate", "is empty, but server.tls.keyFile is not")
	}
	if t.ClientCAFile != "" && t.CertFile == "" {
		v.mistake("server.tls.clientCaFile", "give server.tls.certFile and server.tls.keyFile too; an ACME authority has no client certificate", "is of no use without a certificate of the node")
	}
	if t.ACME.Enabled {
		v.acme()
	}
}

func (v *validation) acme() {
	t := v.config.Server.TLS
	if t.CertFile != "" {
		v.mistake("server.tls.acme.enabled", "leave out one of both", "is true, but server.tls.certFile names a certificate")
	}
	if len(t.ACME.Domains) == 0 {
		v.mistake("server.tls.acme.domains", "give the host names of the node", "is empty")
	}
	for _, domain := range t.ACME.Domains {
		if _, err := netip.ParseAddr(domain); err == nil || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "*:/ ") {
			v.mistake("server.tls.acme.domains", "give host names such as sluice.example.org", "%q is none that an authority certifies", domain)
		}
	}
	if u, err := url.Parse(t.ACME.DirectoryURL); err != nil || u.Scheme != "https" || u.Host == "" {
		v.mistake("server.tls.acme.directoryUrl", "give an address that begins with https://", "%q is none", t.ACME.DirectoryURL)
	}
}
