package store

import (
	"go.etcd.io/bbolt"
)

const keyRoutingSecret = "routing_secret"

// RoutingSecret is what requests to routing webhooks are signed with: made once
// for each installation.
func (s *Store) RoutingSecret() (secret string, err error) {
	err = s.batch(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		if secret = string(meta.Get([]byte(keyRoutingSecret))); secret != "" {
			return nil
		}
		secret = NewSigningSecret()
		return meta.Put([]byte(keyRoutingSecret), []byte(secret))
	})
	return secret, err
}
