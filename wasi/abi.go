package wasi

// The numbers of wasi_snapshot_preview1, by the names of its specification.
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#types

// Sizes in bytes of the structures that cross the boundary. All are aligned to
// eight bytes, and written little endian.
const (
	sizeDirent       = 24
	sizeEvent        = 32
	sizeFdstat       = 24
	sizeFilestat     = 64
	sizeIovec        = 8
	sizeSubscription = 48
)

// fileType is the kind of object a descriptor or a directory entry names.
type fileType uint8

const (
	typeUnknown fileType = iota // also pipes and streams, which preview 1 has no name for
	typeBlockDevice
	typeCharacterDevice
	typeDirectory
	typeRegularFile
	typeSocketDgram
	typeSocketStream
	typeSymbolicLink
)

// fdFlags are the status flags of an open file description.
type fdFlags uint16

const (
	flagAppend fdFlags = 1 << iota
	flagDsync
	flagNonblock
	flagRsync
	flagSync

	allFdFlags  = flagAppend | flagDsync | flagNonblock | flagRsync | flagSync
	syncFdFlags = flagDsync | flagRsync | flagSync
)

// oFlags say how path_open makes or finds a file.
type oFlags uint16

const (
	openCreate oFlags = 1 << iota
	openDirectory
	openExclusive
	openTruncate

	allOFlags = openCreate | openDirectory | openExclusive | openTruncate
)

const lookupFollow = 1 // lookupflags: follow a symbolic link at the end of a path

// fstFlags say which times *_filestat_set_times sets, and to what.
type fstFlags uint16

const (
	setAtime fstFlags = 1 << iota
	setAtimeNow
	setMtime
	setMtimeNow

	allFstFlags = setAtime | setAtimeNow | setMtime | setMtimeNow
)

// rights are what may be done through a descriptor.
type rights uint64

const (
	rightFdDatasync rights = 1 << iota
	rightFdRead
	rightFdSeek
	rightFdFdstatSetFlags
	rightFdSync
	rightFdTell
	rightFdWrite
	rightFdAdvise
	rightFdAllocate
	rightPathCreateDirectory
	rightPathCreateFile
	rightPathLinkSource
	rightPathLinkTarget
	rightPathOpen
	rightFdReaddir
	rightPathReadlink
	rightPathRenameSource
	rightPathRenameTarget
	rightPathFilestatGet
	rightPathFilestatSetSize
	rightPathFilestatSetTimes
	rightFdFilestatGet
	rightFdFilestatSetSize
	rightFdFilestatSetTimes
	rightPathSymlink
	rightPathRemoveDirectory
	rightPathUnlinkFile
	rightPollFdReadwrite
	rightSockShutdown
	rightSockAccept
)

const (
	// fileRights are those that mean something on a regular file.
	fileRights = rightFdDatasync | rightFdRead | rightFdSeek | rightFdFdstatSetFlags | rightFdSync |
		rightFdTell | rightFdWrite | rightFdAdvise | rightFdAllocate | rightFdFilestatGet |
		rightFdFilestatSetSize | rightFdFilestatSetTimes | rightPollFdReadwrite

	// dirRights are those that mean something on a directory. FD_READ and FD_SEEK
	// must stay out: isatty and the like conclude from them what an object is.
	dirRights = rightFdDatasync | rightFdFdstatSetFlags | rightFdSync | rightPathCreateDirectory |
		rightPathCreateFile | rightPathLinkSource | rightPathLinkTarget | rightPathOpen |
		rightFdReaddir | rightPathReadlink | rightPathRenameSource | rightPathRenameTarget |
		rightPathFilestatGet | rightPathFilestatSetSize | rightPathFilestatSetTimes |
		rightFdFilestatGet | rightFdFilestatSetTimes | rightPathSymlink |
		rightPathRemoveDirectory | rightPathUnlinkFile

	inputRights  = rightFdRead | rightFdFdstatSetFlags | rightFdFilestatGet | rightPollFdReadwrite
	outputRights = rightFdWrite | rightFdFdstatSetFlags | rightFdFilestatGet | rightPollFdReadwrite
)

// clockID names a clock.
type clockID uint32

const (
	clockRealtime clockID = iota
	clockMonotonic
	clockProcessCPU
	clockThreadCPU
)

// eventType is the kind of a subscription and of its event.
type eventType uint8

const (
	eventClock eventType = iota
	eventFdRead
	eventFdWrite
)

const (
	eventHangup      = 1 // eventrwflags: the peer has closed
	clockAbsolute    = 1 // subclockflags: the timeout is a time, not a duration
	preopenDirectory = 0 // preopentype
	preopenUnknown   = 1 // not in the specification
)

const (
	whenceSet = iota
	whenceCur
	whenceEnd
)

const lastAdvice = 5 // advice: noreuse

// signal numbers that proc_raise treats specially; others end the process.
const (
	signalNone  = 0
	signalChld  = 16
	signalCont  = 17
	signalStop  = 18
	signalTtou  = 21
	signalUrg   = 22
	signalWinch = 27
	lastSignal  = 30
)
