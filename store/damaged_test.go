package store_test

import (
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"b2bua/store"
)

// A row of a box that cannot be read hides none of the others.
func TestDamagedMessage(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"msg_1", "msg_2", "msg_3"} {
		if err := s.Messages().Save(t.Context(), &store.Message{ID: id, BoxID: "vm"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(filepath.Join(dir, store.FileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("messages")).Put([]byte("msg_2"), []byte("{")) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(dir, store.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, _, err := s.Messages().List(store.Query[store.Message]{Owner: "vm"}, "", 10)
	if err != nil || len(list) != 2 || list[0].ID != "msg_1" || list[1].ID != "msg_3" {
		t.Errorf("%v, %v", list, err)
	}
}
