package exchange

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2bua/configs"
	"b2bua/flows"
)

func open(t *testing.T, dir string) *Exchange {
	t.Helper()
	cfg, err := configs.Load("", []string{"B2BUA_DATA_DIR=" + dir})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestTheFirstStartSetsUpADemoThatLaterStartsKeep(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	key, demo := x.AdminKey(), x.Demo()
	if key == "" || demo == nil || len(demo.Password) < 12 || demo.Number != DemoNumber {
		t.Fatalf("first start: key %q, demo %+v", key, demo)
	}
	if flow, owned := x.store.Plan().Lookup(DemoNumber); !owned || flow.ID != flows.DemoFlowID {
		t.Errorf("the demo number leads to %+v", flow)
	}
	if err := x.store.Close(); err != nil {
		t.Fatal(err)
	}

	x = open(t, dir)
	defer x.store.Close()
	if x.AdminKey() != "" {
		t.Error("the admin key was made twice")
	}
	if again := x.Demo(); again == nil || *again != *demo {
		t.Errorf("second start: %+v, first %+v", again, demo)
	}
	r := httptest.NewRequest(http.MethodGet, "/v2/call-flows", http.NoBody)
	r.Header.Set("X-Auth-Token", key)
	w := httptest.NewRecorder()
	x.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), flows.DemoFlowID) {
		t.Errorf("the key of the first start gives %d %s", w.Code, w.Body)
	}
}

func TestADemoThatWasRemovedStaysRemoved(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	if err := x.store.Flows().Delete(t.Context(), flows.DemoFlowID, ""); err != nil {
		t.Fatal(err)
	}
	if err := x.store.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir)
	defer x.store.Close()
	if x.Demo() != nil || x.store.Flows().Len() != 0 {
		t.Error("the demo came back")
	}
}
