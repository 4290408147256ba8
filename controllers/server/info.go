package server

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

type (
	info struct {
		ServerInfo serverInfo `json:"serverInfo"`
	}
	serverInfo struct {
		Kuzzle   kuzzleInfo   `json:"kuzzle"`
		Services servicesInfo `json:"services"`
	}
	kuzzleInfo struct {
		API         apiInfo               `json:"api"`
		Application map[string]any        `json:"application"`
		Plugins     map[string]pluginInfo `json:"plugins"`
		MemoryUsed  uint64                `json:"memoryUsed"`
		GoVersion   string                `json:"goVersion"`
		System      systemInfo            `json:"system"`
		Uptime      string                `json:"uptime"`
		Version     string                `json:"version"`
		Server      string                `json:"server"`
	}
	apiInfo struct {
		Routes publicAPI `json:"routes"`
	}
	pluginInfo struct {
		Version string `json:"version"`
	}
	systemInfo struct {
		CPUs int `json:"cpus"`
	}
	servicesInfo struct {
		PublicStorage   storage.Info `json:"publicStorage"`
		InternalStorage storage.Info `json:"internalStorage"`
	}
)

// info answers what runs here: version, plugins, routes, storage. version is that of the Kuzzle API, which clients look
// at; server names the binary.
func (c controller) info(ctx context.Context, _ *protocol.Request) (any, error) {
	engine, err := c.Engine.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the storage engine's info: %w", err)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return info{serverInfo{
		Kuzzle: kuzzleInfo{
			API: apiInfo{listAPI(c.Routes())}, Application: map[string]any{}, Plugins: c.plugins(),
			MemoryUsed: memory.Sys - memory.HeapReleased, GoVersion: runtime.Version(),
			System: systemInfo{CPUs: runtime.NumCPU()},
			Uptime: fmt.Sprintf("%ds", int(time.Since(c.Started).Seconds())), Version: c.API, Server: "sluice " + c.Version,
		},
		Services: servicesInfo{PublicStorage: engine, InternalStorage: engine},
	}}, nil
}

func (c controller) plugins() map[string]pluginInfo {
	m := map[string]pluginInfo{}
	for _, p := range c.Plugins() {
		m[p.ID] = pluginInfo{p.Version}
	}
	return m
}

type capabilities struct {
	Limits   any                          `json:"limits"`
	Plugins  map[string]pluginInfo        `json:"plugins"`
	Routes   publicAPI                    `json:"routes"`
	Services map[string]serviceCapability `json:"services"`
	Version  string                       `json:"version"`
}

type serviceCapability struct {
	Backend string `json:"backend"`
	Version string `json:"version"`
}

// capabilities answers what a client may rely on: limits, plugins, routes, services, version of the API.
func (c controller) capabilities(ctx context.Context, _ *protocol.Request) (any, error) {
	engine, err := c.Engine.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the storage engine's info: %w", err)
	}
	return capabilities{
		Limits: c.Limits, Plugins: c.plugins(), Routes: listAPI(c.Routes()), Version: c.API,
		Services: map[string]serviceCapability{"storageEngine": {Backend: engine.Type, Version: engine.Version}},
	}, nil
}
