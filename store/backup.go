package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
)

const (
	// BackupFolder is where copies are kept, below the data directory.
	BackupFolder = "backups"
	backupCount  = 7
)

// Backup writes a whole copy of the database into BackupFolder, under a name
// with the time in it, and keeps the newest seven. Others go on reading and
// writing meanwhile.
func (s *Store) Backup() (path string, err error) {
	dir := filepath.Join(filepath.Dir(s.path), BackupFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", storageError("back up", err)
	}
	path = filepath.Join(dir, "b2bua-"+s.now().UTC().Format("20060102-150405")+".db")
	if err := s.copyTo(path + ".part"); err != nil {
		return "", storageError("back up", errors.Join(err, os.Remove(path+".part")))
	}
	if err := os.Rename(path+".part", path); err != nil {
		return "", storageError("back up", err)
	}
	return path, storageError("remove old backups", removeOld(dir))
}

func (s *Store) copyTo(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(f)
		return err
	})
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func removeOld(dir string) error {
	all, err := filepath.Glob(filepath.Join(dir, "b2bua-*.db"))
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	slices.Sort(all)
	var errs []error
	for _, path := range all[:max(0, len(all)-backupCount)] {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}
