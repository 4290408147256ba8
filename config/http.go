package config

// HTTP is the section http.
type HTTP struct {
	AccessControlAllowOrigin          []string `config:"accessControlAllowOrigin" doc:"Origins that browsers may call from, * for all. A request with another Origin header is refused, on WebSocket too."`
	AccessControlAllowOriginUseRegExp bool     `config:"accessControlAllowOriginUseRegExp" doc:"Read each origin as a regular expression (RE2 syntax)."`
	AccessControlAllowMethods         string   `config:"accessControlAllowMethods" doc:"Value of the header Access-Control-Allow-Methods."`
	AccessControlAllowHeaders         string   `config:"accessControlAllowHeaders" doc:"Value of the header Access-Control-Allow-Headers."`
	CookieAuthentication              bool     `config:"cookieAuthentication" doc:"Let pages keep their token in the cookie authToken, with the argument cookieAuth of a login. It counts for pages of the node's own host, and of origins that accessControlAllowOrigin names, which * does not. Behind a proxy that ends TLS, server.trustedProxies makes the cookie Secure."`
	AllowCompression                  bool     `config:"allowCompression" doc:"Accept compressed bodies and compress answers when the client asks for it."`
	MaxEncodingLayers                 int      `config:"maxEncodingLayers" doc:"How often a body may be compressed over." min:"1" max:"10"`
	AdditionalContentTypes            []string `config:"additionalContentTypes" doc:"Media types let through beside JSON and forms; a pipe must parse such a body."`
}

func defaultHTTP() HTTP {
	return HTTP{
		AccessControlAllowOrigin:  []string{"*"},
		AccessControlAllowMethods: "GET,POST,PUT,PATCH,DELETE,OPTIONS,HEAD",
		AccessControlAllowHeaders: "Content-Type, Access-Control-Allow-Headers, Authorization, X-Requested-With, Content-Encoding, Content-Length, X-Kuzzle-Volatile",
		CookieAuthentication:      true,
		AllowCompression:          true,
		MaxEncodingLayers:         3,
	}
}
