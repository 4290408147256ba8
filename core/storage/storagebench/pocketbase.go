package storagebench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// pocketBase is a server of PocketBase. Its documents are anybody's, and admin is a superuser.
type pocketBase struct {
	*caller
	admin *caller
}

const (
	benched = "/api/collections/sluice_bench"
	records = benched + "/records"
)

// PocketBase makes a collection, which must not be there yet, at address, http://EMAIL:PASSWORD@host:port with a superuser's.
func PocketBase(ctx context.Context, address string) (Server, error) {
	u, err := url.Parse(address)
	password, ok := "", false
	if err == nil {
		password, ok = u.User.Password()
	}
	if !ok || !isHTTP(u) {
		return nil, errors.New("expected http://EMAIL:PASSWORD@host:port with a superuser's, such as http://admin@example.com:secret123@127.0.0.1:8090")
	}
	base := u.Scheme + "://" + u.Host
	p := pocketBase{newCaller(base), newCaller(base)}
	who, err := json.Marshal(map[string]string{"identity": u.User.Username(), "password": password})
	if err != nil {
		return nil, err
	}
	var login struct {
		Token string `json:"token"`
	}
	if err := p.call(ctx, http.MethodPost, "/api/collections/_superusers/auth-with-password", nil, who, &login); err != nil {
		return nil, fmt.Errorf("log in to PocketBase: %w", err)
	}
	p.admin.header.Set("Authorization", login.Token)
	if err := p.admin.call(ctx, http.MethodPost, "/api/collections", nil, []byte(pocketBaseCollection), nil); err != nil {
		return nil, fmt.Errorf("make a collection in PocketBase: %w", err)
	}
	return p, nil
}

// pocketBaseCollection has the fields of the documents, anybody's to use, and the index that suits the list best.
const pocketBaseCollection = `{"name":"sluice_bench","type":"base","listRule":"","viewRule":"","createRule":"","fields":[
{"name":"category","type":"text"},{"name":"status","type":"text"},{"name":"title","type":"text"},{"name":"qty","type":"number"},
{"name":"price","type":"number"},{"name":"createdAt","type":"number"},{"name":"active","type":"bool"},
{"name":"location","type":"geoPoint"},{"name":"owner","type":"json"},{"name":"tags","type":"json"}],
"indexes":["create index sluice_bench_newest on sluice_bench (status, createdAt)"]}`

func (p pocketBase) Name() string { return "PocketBase" }

func (p pocketBase) Close() error {
	defer p.client.CloseIdleConnections()
	defer p.admin.client.CloseIdleConnections()
	return p.admin.call(context.Background(), http.MethodDelete, benched, nil, nil, nil)
}

func (p pocketBase) Create(ctx context.Context, d Document) error {
	return p.call(ctx, http.MethodPost, records, nil, text(`{"id":"%s",%s`, d.ID, d.Source[1:]), nil)
}

func (p pocketBase) Get(ctx context.Context, id string) error {
	var answer jsontext.Value
	return p.call(ctx, http.MethodGet, records+"/"+id, nil, nil, &answer)
}

func (p pocketBase) List(ctx context.Context, s selection) (int, error) {
	var answer struct {
		Total int              `json:"totalItems"`
		Items []jsontext.Value `json:"items"`
	}
	filter := fmt.Sprintf("status = '%s' && createdAt >= %d && createdAt < %d", s.status, s.from, s.to)
	err := p.call(ctx, http.MethodGet, records, url.Values{"perPage": {"10"}, "sort": {"-createdAt"}, "filter": {filter}}, nil, &answer)
	return answer.Total, err
}
