package config

import (
	"regexp"
	"strings"
)

// FileVariable is the environment variable with the path of the configuration file. It is no key: the program reads it and
// passes the path in Sources.
const FileVariable = "SLUICE_CONFIG"

// testPrefix starts variables that steer the tests of the project.
const testPrefix = "SLUICE_TEST_"

// Kubernetes puts such variables into every container when a service is called sluice or sluice-something. Only by its value
// is SLUICE_SOMETHING_PORT one of them, and not a mistyped key.
var serviceLink = regexp.MustCompile(`^SLUICE_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)=|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?=|PORT=(tcp|udp|sctp)://)`)

func (l *loader) environment(environ []string) {
	paths := map[string]string{}
	for _, k := range l.keys {
		paths[k.env] = k.path
	}
	values := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, envPrefix) {
			values[name] = value
		}
	}
	for _, name := range sortedKeys(values) {
		path, ok := paths[name]
		switch {
		case ok:
			l.value(path, plain(values[name]), name)
		case name == FileVariable, strings.HasPrefix(name, testPrefix), serviceLink.MatchString(name + "=" + values[name]):
		default:
			l.mistake(name, "there is no such environment variable", didYouMean(name, sortedKeys(paths)), "")
		}
	}
}
