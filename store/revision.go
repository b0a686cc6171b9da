package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// revisionKey sorts the revisions of one resource by number.
func revisionKey(bucket, id string, revision int) []byte {
	return binary.BigEndian.AppendUint32(revisionPrefix(bucket, id), uint32(revision))
}

func revisionPrefix(bucket, id string) []byte { return []byte(bucket + "\x00" + id + "\x00") }

// Revision is the resource as it was at this revision; it can be read even
// after the resource was deleted. Only call flows keep their revisions.
func (c *Collection[T]) Revision(id string, revision int) (*T, error) {
	x := new(T)
	err := c.s.view(func(tx *bbolt.Tx) error {
		raw := tx.Bucket([]byte(bucketRevisions)).Get(revisionKey(c.k.bucket, id, revision))
		if raw == nil {
			return fmt.Errorf("revision %d of %s %q: %w", revision, c.k.name, id, ErrNotFound)
		}
		return json.Unmarshal(raw, x)
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Revisions are all kept revisions of a resource, oldest first.
func (c *Collection[T]) Revisions(id string) ([]*T, error) {
	var all []*T
	err := c.s.view(func(tx *bbolt.Tx) error {
		prefix := revisionPrefix(c.k.bucket, id)
		cur := tx.Bucket([]byte(bucketRevisions)).Cursor()
		for k, raw := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, raw = cur.Next() {
			x := new(T)
			if err := json.Unmarshal(raw, x); err != nil {
				return fmt.Errorf("decode revision of %s %s: %w", c.k.name, id, err)
			}
			all = append(all, x)
		}
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("revisions of %s %q: %w", c.k.name, id, ErrNotFound)
	}
	return all, err
}

// lastRevision is the newest revision kept of an id that may have been deleted:
// its successor goes on counting, so that no revision is ever written over.
func (c *Collection[T]) lastRevision(id string) (last int, err error) {
	if !c.k.keep {
		return 0, nil
	}
	err = c.s.view(func(tx *bbolt.Tx) error {
		prefix := revisionPrefix(c.k.bucket, id)
		cur := tx.Bucket([]byte(bucketRevisions)).Cursor()
		for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
			last = int(binary.BigEndian.Uint32(k[len(prefix):]))
		}
		return nil
	})
	return last, err
}
