package document

import (
	"bufio"
	"context"
	"io"
	"mime"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// exportPage is how many documents are read at a time, unless the request says.
	exportPage = 100
	// exportBuffer is how many bytes are sent at a time. A failure before the first of them is answered as one.
	exportBuffer = 32 << 10
)

// The forms of an export, and the media types that the API gives them.
const (
	jsonLines, jsonLinesType = "jsonl", "html/text"
	csvTable, csvTableType   = "csv", "text/csv"
)

// export is one export, as it was asked for.
type export struct {
	where  storage.Collection
	format string
	// comma parts the columns of a table.
	comma rune
	// page is how many documents are read at a time.
	page int
	// query is nil for every document.
	query jsontext.Value
	// collapse is an object, or nil: then only the first page is read, one document for each value of a field.
	collapse jsontext.Value
	// columns are those of a table.
	columns columns
}

// table writes the documents of an export.
type table interface {
	head() error
	document(d announce.Doc) error
	// flush writes what is held back.
	flush() error
}

// export streams the documents that match, one a line, as JSON or as CSV. Their order means nothing, and who writes
// meanwhile may or may not be seen.
func (c controller) export(ctx context.Context, req *protocol.Request) (any, error) {
	if req.Connection.Protocol != "http" {
		return nil, kerror.APIAssertUnsupportedProtocol.New(req.Connection.Protocol, "document:export")
	}
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	e, err := c.exportOf(req)
	if err != nil {
		return nil, err
	}
	e.where = where
	spec, err := c.Engine.Describe(ctx, where)
	if err != nil {
		return nil, err
	}
	req.Reply.ContentType = jsonLinesType
	if e.format == csvTable {
		req.Reply.ContentType = csvTableType
		if err := e.columns.orAll(spec.Mapping); err != nil {
			return nil, err
		}
	}
	name := where.Index + "-" + where.Name + "." + e.format
	req.Reply.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return protocol.Stream(func(ctx context.Context, w io.Writer) error { return c.writeExport(ctx, req, e, w) }), nil
}

// exportOf reads the arguments. Those of the body may stand in the URL, as they do with GET; the body comes first.
func (c controller) exportOf(req *protocol.Request) (e export, err error) {
	body := req.Args
	if !isGet(req) {
		if body, err = req.OptBodyFields(); err != nil {
			return e, err
		}
	}
	if err = e.readForm(req.Args); err != nil {
		return e, err
	}
	// scroll is checked, and that is all: nothing is kept between pages.
	paging, err := c.Paging.Search(req, &protocol.Args{}, exportPage)
	if err != nil {
		return e, err
	}
	e.page = max(paging.Size, 1)
	if err = e.readQuery(req, body); err != nil {
		return e, err
	}
	e.columns, err = readColumns(body, req.Args)
	return e, err
}

// readForm reads what the lines look like.
func (e *export) readForm(args protocol.Args) (err error) {
	if e.format, err = args.OptString("format", jsonLines); err != nil {
		return err
	}
	if e.format != jsonLines && e.format != csvTable {
		return kerror.APIAssertInvalidArgument.New("format", `"`+jsonLines+`", "`+csvTable+`"`)
	}
	separator, err := args.OptString("separator", ",")
	if err != nil {
		return err
	}
	if e.comma, err = commaOf(separator); err != nil {
		return err
	}
	return nil
}

// readQuery reads which documents are meant, and checks what can be checked before the answer begins.
func (e *export) readQuery(req *protocol.Request, body protocol.Args) error {
	matching, err := firstWith("query", body, req.Args).OptObject("query")
	if err != nil {
		return err
	}
	if e.collapse, err = firstWith("collapse", body, req.Args).OptObject("collapse"); err != nil {
		return err
	}
	var members protocol.Args
	if matching != nil {
		members.Set("query", matching)
	}
	if err := target.Translate(req, &members); err != nil {
		return err
	}
	e.query = members.Raw("query")
	_, err = query.Parse(e.query)
	return err
}

// firstWith gives the first arguments that have one of a name, or else none.
func firstWith(name string, all ...protocol.Args) protocol.Args {
	for _, args := range all {
		if args.Raw(name) != nil {
			return args
		}
	}
	return protocol.Args{}
}

// writeExport writes the whole of it.
func (c controller) writeExport(ctx context.Context, req *protocol.Request, e export, w io.Writer) error {
	buffer := bufio.NewWriterSize(w, exportBuffer)
	var t table = &lines{w: buffer, where: e.where}
	if e.format == csvTable {
		t = newCSV(buffer, e.comma, e.columns)
	}
	if err := t.head(); err != nil {
		return err
	}
	err := c.pages(ctx, e, func(docs []announce.Doc) error {
		docs, err := c.Announcer.Docs(ctx, req, announce.AfterGet, docs)
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := t.document(d); err != nil {
				return err
			}
		}
		return t.flush()
	})
	if err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	return buffer.Flush()
}

// pages calls visit with the documents that are meant.
func (c controller) pages(ctx context.Context, e export, visit func([]announce.Doc) error) error {
	if e.collapse != nil {
		return c.collapsed(ctx, e, visit)
	}
	return c.Engine.Select(ctx, e.where, storage.Selection{Query: e.query, Batch: e.page}, func(found []storage.Document) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		docs := make([]announce.Doc, len(found))
		for i, d := range found {
			docs[i] = announce.Doc{ID: d.ID, Source: d.Source}
		}
		return visit(docs)
	})
}

// collapsed calls visit once, with the first page of a search: there is no scroll over what was collapsed.
func (c controller) collapsed(ctx context.Context, e export, visit func([]announce.Doc) error) error {
	var body protocol.Args
	body.Set("collapse", e.collapse)
	if e.query != nil {
		body.Set("query", e.query)
	}
	found, err := c.Engine.Search(ctx, storage.Search{Targets: []storage.Collection{e.where}, Body: body.JSON(), Size: e.page})
	if err != nil {
		return err
	}
	docs := make([]announce.Doc, len(found.Hits))
	for i, h := range found.Hits {
		docs[i] = announce.Doc{ID: h.ID, Source: h.Source}
	}
	return visit(docs)
}

// lines writes {type, index, collection}, and then {_id, body} for each document.
type lines struct {
	w     *bufio.Writer
	where storage.Collection
}

func (l *lines) head() error {
	return l.line(struct {
		Type       string `json:"type"`
		Index      string `json:"index"`
		Collection string `json:"collection"`
	}{"collection", l.where.Index, l.where.Name})
}

func (l *lines) document(d announce.Doc) error {
	if d.Source == nil { // a pipe took it away
		d.Source = jsontext.Value("null")
	}
	return l.line(sentDoc{d.ID, d.Source})
}

func (l *lines) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := l.w.Write(text); err != nil {
		return err
	}
	return l.w.WriteByte('\n')
}

func (l *lines) flush() error { return nil }
