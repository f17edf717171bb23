// Package store keeps sandboxes on disk, so that they outlive the process.
//
// A [Store] is a folder with one database. A sandbox in it has a name; [Store.Use] brings it to life where it
// isn't, lends it to a function, and returns when all that has changed in its files is on disk: a crash of the process
// loses nothing of what was done before. A sandbox that nobody uses for a while is frozen: its files and the memory of
// its sessions stay on disk, and nothing in memory, until it is used again.
//
// What is written is what differs from the image's own files, at the grain of vfs.ChunkSize, and equal content is kept
// once, whichever sandboxes have it.
//
// Files and sessions are written to disk at different times: files at the end of each use and by a guest's fsync,
// sessions (and where a sandbox under Replay is in its time and randomness) when the sandbox is frozen, in one
// transaction with the files. So after a crash files are never older than what was acknowledged, and sessions are as they
// were frozen last. A session that can't come back, because the engine's image has another build of its interpreter, is lost, which is
// logged; its sandbox comes back without it.
//
// The folder holds the values of engine.Spec.Secrets: in specs and, wherever a guest put them, in files and memory.
//
// Lock order: box.mu, box.saving, Store.keeping, Store.mu; the database's own lock comes last.
package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrClosed reports a call on a closed Store.
	ErrClosed = errors.New("the store is closed")
	// ErrLocked reports a folder that another process has open.
	ErrLocked = errors.New("the store is in use by another process")
	// ErrNewer reports a store that a newer version of this package made.
	ErrNewer = errors.New("the store was made by a newer version")
	// ErrNotFound reports a name that no sandbox has.
	ErrNotFound = errors.New("there is no such sandbox")
	// ErrExists reports a name that a sandbox has already.
	ErrExists = errors.New("there is a sandbox of that name")
	// ErrImage reports a sandbox whose image the engine doesn't have, or not as it was.
	ErrImage = errors.New("the sandbox needs another image")
)

// Config says where a Store is and what it does by itself. Dir and Engine must be set.
type Config struct {
	Dir    string         // the folder; made if it is missing, readable by its owner alone
	Engine *engine.Engine // brings sandboxes to life. The caller owns it, and closes it after the Store
	// IdleStop is how long a sandbox stays in memory after its last use; 0: 10 minutes. A negative one: until Close.
	IdleStop time.Duration
	// NoFlush leaves it to the operating system when to write to the disk: a crash of the process still loses nothing, but
	// one of the machine may lose, or even break, the store.
	NoFlush bool
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: silent
}

// format is the version of the database's layout. Raise it with every change that an older version of this package
// can't read, and teach migrate the step.
const format = 1

const (
	databaseName    = "belljar.db"
	ownerName       = "owner.pid"
	lockPatience    = 200 * time.Millisecond
	defaultIdleStop = 10 * time.Minute
)

// Store is an open store. Its methods are safe for concurrent use. Only one process may have a folder open.
type Store struct {
	cfg   Config
	db    *bbolt.DB
	codec *codec

	commits    chan *commit
	background sync.WaitGroup
	stop       chan struct{} // closed to end what runs in the background

	closing sync.RWMutex // held for reading while something is sent to commits
	closed  bool

	keeping sync.RWMutex // held for reading while content on disk waits to be referred to, and for writing by sweep

	mu    sync.Mutex
	boxes map[string]*box // those that were used since Open, by name
}

// Open opens a folder. Errors: ErrLocked, ErrNewer, those of the file system.
func Open(cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.IdleStop == 0 {
		cfg.IdleStop = defaultIdleStop
	}
	if cfg.Engine == nil {
		return nil, errors.New("open store: no engine")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{cfg: cfg, commits: make(chan *commit, maxGroup), stop: make(chan struct{}), boxes: map[string]*box{}}
	if err := s.openDatabase(); err != nil {
		return nil, fmt.Errorf("open store %s: %w", cfg.Dir, err)
	}
	s.background.Go(s.commitLoop) // ends when Close closes s.commits
	s.background.Go(s.idleLoop)   // ends when Close closes s.stop
	return s, nil
}

func (s *Store) openDatabase() (err error) {
	owner := filepath.Join(s.cfg.Dir, ownerName)
	s.db, err = bbolt.Open(filepath.Join(s.cfg.Dir, databaseName), 0o600, &bbolt.Options{
		Timeout: lockPatience, FreelistType: bbolt.FreelistMapType, NoSync: s.cfg.NoFlush,
	})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		pid, _ := os.ReadFile(owner)
		if _, bad := strconv.Atoi(strings.TrimSpace(string(pid))); bad != nil {
			return ErrLocked
		}
		return fmt.Errorf("%w, number %s: end that one, or use another folder", ErrLocked, strings.TrimSpace(string(pid)))
	}
	if err != nil {
		return err
	}
	if s.codec, err = newCodec(); err == nil {
		err = s.db.Update(prepare)
	}
	if err == nil {
		err = os.WriteFile(owner, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600)
	}
	if err != nil {
		_ = s.db.Close()
	}
	return err
}

var keyFormat = []byte("format")

// prepare makes what a new store has, and brings an old one up to date.
func prepare(tx *bbolt.Tx) error {
	for _, b := range buckets {
		if _, err := tx.CreateBucketIfNotExists(b); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	v := meta.Get(keyFormat)
	if v == nil {
		return meta.Put(keyFormat, binary.BigEndian.AppendUint32(nil, format))
	}
	if len(v) != 4 {
		return errRow
	}
	if have := binary.BigEndian.Uint32(v); have > format {
		return fmt.Errorf("%w: it has format %d, this version knows up to %d", ErrNewer, have, format)
	}
	if err := sweep(tx); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// Close freezes all sandboxes and closes the store. Programs that run are ended, and so, for good, are sessions that run
// a cell. It may be called again.
func (s *Store) Close() error {
	s.mu.Lock()
	boxes := make([]*box, 0, len(s.boxes))
	for _, b := range s.boxes {
		boxes = append(boxes, b)
	}
	s.mu.Unlock()
	var errs []error
	for _, b := range boxes {
		errs = append(errs, b.end())
	}
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		return nil
	}
	s.closed = true
	close(s.commits)
	s.closing.Unlock()
	close(s.stop)
	s.background.Wait()
	s.codec.close()
	_ = os.Remove(filepath.Join(s.cfg.Dir, ownerName))
	errs = append(errs, s.db.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}
