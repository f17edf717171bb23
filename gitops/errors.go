package gitops

import "fmt"

// Error is the cause of a failed call. Calls return causes wrapped with the act; test for them with errors.Is.
// Errors are constants and compare equal by value.
type Error string

// The causes.
const (
	ErrNotRepository Error = "not a repository"
	ErrExists        Error = "exists already"
	ErrNotFound      Error = "no such revision, reference or path"
	ErrAmbiguous     Error = "more than one object has this abbreviation"
	ErrBare          Error = "a bare repository has no working tree"
	ErrUnborn        Error = "the branch has no commit yet"
	ErrName          Error = "not a valid name"
	ErrPath          Error = "path is not allowed in a repository"
	ErrCorrupt       Error = "repository is damaged"
	ErrFormat        Error = "repository format is not supported"
	ErrTooLarge      Error = "object is too large"
	ErrTooMany       Error = "too many paths"
	ErrLocked        Error = "index is locked by another process"
	ErrNothing       Error = "nothing to commit"
	ErrIdentity      Error = "no name and email for the author"
	ErrDirty         Error = "local changes would be overwritten"
	ErrConflict      Error = "conflicts must be resolved first"
	ErrNotMerged     Error = "branch is not merged"
	ErrUnrelated     Error = "histories have no common commit"
	ErrNotForward    Error = "not a fast-forward"
	ErrTransport     Error = "the repository can't be reached this way"
	ErrAuth          Error = "the server wants other credentials"
	ErrRemote        Error = "the server refuses"
	ErrRejected      Error = "the server has not taken all references"
	ErrStale         Error = "the remote reference is not where it was expected"
)

// Error returns the cause in words. The text is stable.
func (e Error) Error() string { return string(e) }

// act wraps what a verb fails with, when it returns.
func act(err *error, verb string) {
	if *err != nil {
		*err = fmt.Errorf("git %s: %w", verb, *err)
	}
}
