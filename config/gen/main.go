// Command gen writes docs/configuration.md from the package config; go generate runs it in config.
package main

import (
	"log"
	"os"

	"github.com/sluicehq/sluice/config"
)

func main() {
	if err := os.WriteFile("../docs/configuration.md", []byte(config.Reference()), 0o644); err != nil { //nolint:gosec // documentation, for everyone to read
		log.Fatal(err)
	}
}
