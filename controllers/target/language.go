package target

import (
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The languages of queries: the values of the argument lang.
const (
	elasticsearch = "elasticsearch"
	koncorde      = "koncorde"
)

// Translate puts the query that is meant in place of a Koncorde filter, when the argument lang says that query is one.
func Translate(req *protocol.Request, members *protocol.Args) error {
	lang, err := req.Args.OptString("lang", elasticsearch)
	switch {
	case err != nil:
		return err
	case lang == elasticsearch:
		return nil
	case lang != koncorde:
		return kerror.APIAssertInvalidArgument.New("lang", `"`+elasticsearch+`", "`+koncorde+`"`)
	}
	translated, err := query.Koncorde(members.Raw("query"))
	if err == nil {
		members.Set("query", translated)
	}
	return err
}
