package config_test

import (
	"encoding/base64"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

func TestDefaultsAreValid(t *testing.T) {
	if err := config.Defaults().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*config.Config)
		want   []string // the paths
	}{
		"port":                    {func(c *config.Config) { c.Server.Port = 65536 }, []string{"server.port"}},
		"negative port":           {func(c *config.Config) { c.Server.Port = -1 }, []string{"server.port"}},
		"any port":                {func(c *config.Config) { c.Server.Port = 0 }, nil},
		"no host":                 {func(c *config.Config) { c.Server.Host = " " }, []string{"server.host"}},
		"no data folder":          {func(c *config.Config) { c.Server.DataDir = "" }, []string{"server.dataDir"}},
		"tiny request":            {func(c *config.Config) { c.Server.MaxRequestSize = 10 }, []string{"server.maxRequestSize"}},
		"mqtt, no topic":          {func(c *config.Config) { c.MQTT.RequestTopic = "" }, []string{"mqtt.requestTopic"}},
		"mqtt, wildcard":          {func(c *config.Config) { c.MQTT.ResponseTopic = "answers/#" }, []string{"mqtt.responseTopic"}},
		"mqtt, one topic":         {func(c *config.Config) { c.MQTT.ResponseTopic = c.MQTT.RequestTopic }, []string{"mqtt.responseTopic"}},
		"certificate without key": {func(c *config.Config) { c.Server.TLS.CertFile = "a.pem" }, []string{"server.tls.keyFile"}},
		"key without certificate": {func(c *config.Config) { c.Server.TLS.KeyFile = "a.pem" }, []string{"server.tls.certFile"}},
		"old tls":                 {func(c *config.Config) { c.Server.TLS.MinVersion = "1.1" }, []string{"server.tls.minVersion"}},
		"client ca alone":         {func(c *config.Config) { c.Server.TLS.ClientCAFile = "ca.pem" }, []string{"server.tls.clientCaFile"}},
		"acme, no domain":         {func(c *config.Config) { c.Server.TLS.ACME.Enabled = true }, []string{"server.tls.acme.domains"}},
		"acme": {func(c *config.Config) {
			c.Server.TLS.ACME.Enabled, c.Server.TLS.ACME.Domains = true, []string{"sluice.example.org"}
		}, nil},
		"acme, all wrong": {func(c *config.Config) {
			c.Server.TLS.CertFile, c.Server.TLS.KeyFile = "a.pem", "a.key"
			c.Server.TLS.ACME.Enabled, c.Server.TLS.ACME.Domains = true, []string{"*.example.org", "192.0.2.1"}
			c.Server.TLS.ACME.DirectoryURL = "http://ca.example.org"
		}, []string{"server.tls.acme.enabled", "server.tls.acme.domains", "server.tls.acme.domains", "server.tls.acme.directoryUrl"}},
		"no limit to login": {func(c *config.Config) { c.Limits.FailedLoginsPerMinute = 0 }, nil},
		"concurrent requests fill the buffer": {
			func(c *config.Config) { c.Limits.RequestsBufferSize = 500 },
			[]string{"limits.concurrentRequests", "limits.requestsBufferWarningThreshold"},
		},
		"warning below concurrent": {func(c *config.Config) { c.Limits.RequestsBufferWarningThreshold = 499 }, []string{"limits.requestsBufferWarningThreshold"}},
		"warning above buffer":     {func(c *config.Config) { c.Limits.RequestsBufferWarningThreshold = 50001 }, []string{"limits.requestsBufferWarningThreshold"}},
		"more kept than may wait":  {func(c *config.Config) { c.WebSocket.OutboxMessages = 255 }, []string{"realtime.historyMessages"}},
		"as much kept as may wait": {func(c *config.Config) { c.WebSocket.OutboxMessages = 256 }, nil},
		"warning at both ends": {func(c *config.Config) {
			c.Limits.ConcurrentRequests, c.Limits.RequestsBufferWarningThreshold, c.Limits.RequestsBufferSize = 1, 1, 2
		}, nil},
		"bad origin": {func(c *config.Config) {
			c.HTTP.AccessControlAllowOriginUseRegExp, c.HTTP.AccessControlAllowOrigin = true, []string{"*", "https://.*", "("}
		}, []string{"http.accessControlAllowOrigin"}},
		"no expression":     {func(c *config.Config) { c.HTTP.AccessControlAllowOrigin = []string{"("} }, nil},
		"unknown algorithm": {func(c *config.Config) { c.Security.AuthToken.Algorithm = "none" }, []string{"security.authToken.algorithm"}},
		"algorithm, no key": {func(c *config.Config) { c.Security.AuthToken.Algorithm = "EdDSA" }, nil},
		"algorithm and key": {func(c *config.Config) {
			c.Security.AuthToken.Algorithm, c.Security.AuthToken.PrivateKeyFile = "EdDSA", "key.pem"
		}, nil},
		"key, no algorithm": {func(c *config.Config) { c.Security.AuthToken.PrivateKeyFile = "key.pem" }, nil},
		"key for HS256": {func(c *config.Config) {
			c.Security.AuthToken.Algorithm, c.Security.AuthToken.PrivateKeyFile = "HS256", "key.pem"
		}, []string{"security.authToken.privateKeyFile"}},
		"key and secret": {func(c *config.Config) {
			c.Security.AuthToken.Secret, c.Security.AuthToken.PrivateKeyFile = config.NewSecret("x"), "key.pem"
		}, []string{"security.authToken.secret"}},
		"lifetime of nothing": {func(c *config.Config) { c.Security.AuthToken.ExpiresIn = 0 }, []string{"security.authToken.expiresIn"}},
		"endless lifetime":    {func(c *config.Config) { c.Security.AuthToken.ExpiresIn = config.Infinite }, nil},
		"lifetime above the longest": {
			func(c *config.Config) { c.Security.AuthToken.MaxTTL = config.TTL(time.Minute) },
			[]string{"security.authToken.expiresIn"},
		},
		"endless above the longest": {func(c *config.Config) {
			c.Security.AuthToken.ExpiresIn, c.Security.AuthToken.MaxTTL = config.Infinite, config.TTL(time.Hour)
		}, []string{"security.authToken.expiresIn"}},
		"secret for another algorithm": {func(c *config.Config) {
			c.Security.AuthToken.Algorithm, c.Security.AuthToken.PrivateKeyFile = "RS256", "key.pem"
			c.Security.AuthToken.Secret = config.NewSecret("x")
		}, []string{"security.authToken.secret"}},
		"endless grace":  {func(c *config.Config) { c.Security.AuthToken.GracePeriod = config.Infinite }, []string{"security.authToken.gracePeriod"}},
		"memory a lane":  {func(c *config.Config) { c.Security.PasswordHash.MemoryKiB, c.Security.PasswordHash.Parallelism = 31, 4 }, []string{"security.passwordHash.memoryKiB"}},
		"restart delays": {func(c *config.Config) { c.Plugins.Restart.MaxDelay = time.Millisecond }, []string{"plugins.restart.maxDelay"}},
		"mounts":         {func(c *config.Config) { c.Plugins.Mounts = map[string]string{"a": "x", "b": "/x/"} }, []string{"plugins.mounts", "plugins.mounts"}},
		"hosts": {func(c *config.Config) {
			c.Plugins.Hosts = map[string][]string{"a": {"A.example", "http://b"}, "b": {"a.example", ""}}
		}, []string{"plugins.hosts", "plugins.hosts", "plugins.hosts"}},
		"listen": {func(c *config.Config) { c.Plugins.Listen = map[string]string{"a": "8080", "b": "127.0.0.1:0"} }, []string{"plugins.listen"}},
		"Elasticsearch nowhere": {
			func(c *config.Config) { c.Storage.Engine, c.Storage.Elasticsearch.Addresses = "elasticsearch", nil },
			[]string{"storage.elasticsearch.addresses"},
		},
		"no addresses": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.Addresses = "elasticsearch", []string{"search:9200", "http://", "https://search:9200"}
		}, []string{"storage.elasticsearch.addresses", "storage.elasticsearch.addresses"}},
		"password in the address": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.Addresses = "elasticsearch", []string{"https://elastic:secret@search:9200"}
		}, []string{"storage.elasticsearch.addresses"}},
		"addresses nobody uses": {func(c *config.Config) { c.Storage.Elasticsearch.Addresses = []string{"nonsense"} }, nil},
		"two ways to log in": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.Username = "elasticsearch", "elastic"
			c.Storage.Elasticsearch.Password, c.Storage.Elasticsearch.APIKey = config.NewSecret("x"), config.NewSecret("y")
		}, []string{"storage.elasticsearch.apiKey"}},
		"a password of nobody": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.Password = "elasticsearch", config.NewSecret("x")
		}, []string{"storage.elasticsearch.username"}},
		"Elastic Cloud": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.CloudID = "elasticsearch", cloudID("example.org:443$1234$5678")
		}, nil},
		"Elastic Cloud and addresses": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.CloudID = "elasticsearch", cloudID("example.org$1234")
			c.Storage.Elasticsearch.Addresses = []string{"https://search:9200"}
		}, []string{"storage.elasticsearch.cloudId"}},
		"no cloud":  {func(c *config.Config) { c.Storage.Engine, c.Storage.Elasticsearch.CloudID = "elasticsearch", "name" }, []string{"storage.elasticsearch.cloudId"}},
		"no base64": {func(c *config.Config) { c.Storage.Engine, c.Storage.Elasticsearch.CloudID = "elasticsearch", "name:$" }, []string{"storage.elasticsearch.cloudId"}},
		"half a cloud": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.CloudID = "elasticsearch", cloudID("example.org$")
		}, []string{"storage.elasticsearch.cloudId"}},
		"a path in it": {func(c *config.Config) {
			c.Storage.Engine, c.Storage.Elasticsearch.CloudID = "elasticsearch", cloudID("example.org/x$1")
		}, []string{"storage.elasticsearch.cloudId"}},
		"half a key pair": {func(c *config.Config) { c.Storage.Engine, c.Storage.Elasticsearch.CertFile = "elasticsearch", "a.pem" }, []string{"storage.elasticsearch.certFile"}},
		"the other half":  {func(c *config.Config) { c.Storage.Engine, c.Storage.Elasticsearch.KeyFile = "elasticsearch", "a.pem" }, []string{"storage.elasticsearch.certFile"}},
		"two at once":     {func(c *config.Config) { c.Log.Level, c.Storage.Engine = "trace", "mysql" }, []string{"storage.engine", "log.level"}},
	} {
		c := config.Defaults()
		test.change(c)
		mistakes := config.Mistakes(c.Validate())
		for i, m := range mistakes {
			if i >= len(test.want) || m.Path != test.want[i] || m.Problem == "" || m.Want == "" {
				t.Errorf("%s: unexpected %v", name, m)
			}
		}
		if len(mistakes) < len(test.want) {
			t.Errorf("%s: got %v, want %v", name, mistakes, test.want)
		}
	}
}

func TestDerivedValues(t *testing.T) {
	c := config.Defaults()
	if got := c.Server.Address(); got != "127.0.0.1:7512" {
		t.Errorf("address %s", got)
	}
	if c.Server.Host = "::1"; c.Server.Address() != "[::1]:7512" {
		t.Errorf("address %s", c.Server.Address())
	}
	if got := c.Plugins.LockPath(); got != "" {
		t.Errorf("lock file %q without plugins", got)
	}
	if c.Plugins.Dir = "p"; c.Plugins.LockPath() != filepath.Join("p", "sluice.lock") {
		t.Errorf("lock file %q", c.Plugins.LockPath())
	}
	if c.Plugins.LockFile = "other.lock"; c.Plugins.LockPath() != "other.lock" {
		t.Errorf("lock file %q", c.Plugins.LockPath())
	}
	for text, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "?": slog.LevelInfo} {
		if got := (config.Log{Level: text}).SlogLevel(); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func cloudID(place string) string { return "name:" + base64.StdEncoding.EncodeToString([]byte(place)) }
