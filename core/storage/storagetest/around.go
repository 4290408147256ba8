package storagetest

// aroundBodies are searches for what surrounds hits: distances, highlights and collapsing. They were written by hand like
// writtenBodies.
var aroundBodies = []string{
	`{"sort":[{"_geo_distance":{"loc":"48.1,2.1"}},"uid"]}`,
	`{"sort":[{"_geo_distance":{"loc":[2.1,48.1],"unit":"km","order":"desc"}},"uid"]}`,
	`{"sort":[{"_geo_distance":{"loc":{"lat":0,"lon":179.9},"unit":"mi","mode":"max"}},"uid"]}`,
	`{"sort":[{"_geo_distance":{"loc":[[2.1,48.1],[3.5,49.5]],"mode":"avg","unit":"nmi"}},"uid"]}`,
	`{"sort":[{"_geo_distance":{"loc":["48.1,2.1","u09tvqxnnuph",{"lat":40,"lon":4}],"mode":"median","distance_type":"plane"}},"uid"]}`,
	`{"sort":[{"_geoDistance":{"loc":"POINT (2.1 48.1)","distance_type":"arc","order":"desc","mode":"min"}},"uid"]}`,
	`{"sort":[{"_geo_distance":{"none":[2,48],"ignore_unmapped":true}},"uid"]}`,
	`{"sort":[{"_geo_distance":{"none":[2,48]}}]}`,
	`{"sort":[{"_geo_distance":{"loc":[2,100]}}]}`,
	`{"sort":[{"_geo_distance":{"loc":[]}}]}`,
	`{"sort":[{"_geo_distance":{"loc":[2,48],"mode":"sum"}}]}`,
	`{"sort":[{"_geo_distance":{"loc":[2,48],"order":"up"}}]}`,
	`{"sort":[{"_geo_distance":{"loc":[2,48],"unit":"km"}},"uid"],"search_after":[100,"u0010"]}`,
	`{"sort":[{"_geo_distance":{"loc":[2,48],"unit":"km"}},"uid"],"search_after":["Infinity","u0010"]}`,
	`{"query":{"match":{"title":"fox"}},"sort":["_score",{"_geo_distance":{"loc":[2,48],"unit":"yd"}},"uid"]}`,
}
