package instrument

import (
	"bytes"
	"maps"
	"slices"
)

// Section ids; see https://webassembly.github.io/spec/core/binary/modules.html#sections.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
	sectionCount
)

// sectionOrder is the order in which sections stand in a module. Custom sections stand anywhere.
var sectionOrder = [...]byte{
	sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionTag, sectionGlobal, sectionExport,
	sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData,
}

// maxModule bounds what a rewriting allocates, at most some thirty times the module.
const maxModule = 1 << 27

func (rw *rewriter) read() error {
	if len(rw.src) > maxModule {
		return &Error{Offset: maxModule, Reason: "module too large"}
	}
	if !bytes.HasPrefix(rw.src, []byte("\x00asm\x01\x00\x00\x00")) {
		return &Error{Offset: 0, Reason: "not a wasm module of version 1"}
	}
	var names *reader
	r := &reader{b: rw.src, pos: 8}
	last := -1
	for r.more() {
		start := r.pos
		id := r.byte()
		size := r.u32()
		part := &reader{b: r.b, pos: r.pos}
		r.bytes(size)
		if r.err != nil {
			return r.err
		}
		part.b = r.b[:r.pos]
		if id == sectionCustom {
			if part.name() == "name" && names == nil {
				names = part
			}
			if part.err != nil {
				return part.err
			}
			continue
		}
		rank := slices.Index(sectionOrder[:], id)
		if rank <= last {
			return &Error{Offset: start, Reason: "unknown or misplaced section"}
		}
		last = rank
		content := rw.section(id, part)
		if part.err == nil && part.more() {
			part.fail("section is longer than its content")
		}
		if part.err != nil {
			return part.err
		}
		rw.sections[id] = content
	}
	if err := rw.complete(); err != nil {
		return err
	}
	if rw.passive && rw.dropsData {
		rw.reason("drops a data segment")
	}
	rw.out.Stateful = slices.Sorted(maps.Keys(rw.stateful))
	if names != nil {
		rw.names = rw.readNames(names)
	}
	return nil
}

// complete checks what no section can check alone.
func (rw *rewriter) complete() error {
	end := len(rw.src)
	if len(rw.bodies) != len(rw.funcs)-rw.imports {
		return &Error{Offset: end, Reason: "function and code section differ in length"}
	}
	if rw.datas != 0 && rw.sections[sectionData] == nil {
		return &Error{Offset: end, Reason: "data segments are missing"}
	}
	return nil
}

// section parses one section and returns its rewritten content, without a leading count if rw.counts holds it.
func (rw *rewriter) section(id byte, r *reader) []byte {
	switch id {
	case sectionType:
		return rw.readTypes(r)
	case sectionImport:
		return rw.readImports(r)
	case sectionFunction:
		return rw.readFunctions(r)
	case sectionTable:
		return rw.readTables(r)
	case sectionMemory:
		return rw.readMemory(r)
	case sectionGlobal:
		return rw.readGlobals(r)
	case sectionExport:
		return rw.readExports(r)
	case sectionStart:
		at := r.pos
		f := r.index(len(rw.funcs), "function")
		if r.err == nil && !rw.sigs[rw.funcs[f]].procedure {
			r.failAt(at, "start function has parameters or results")
		}
		rw.out.Start = startName
		rw.start = rw.shift(f)
		return nil
	case sectionElement:
		return rw.readElements(r)
	case sectionCode:
		return rw.readCode(r)
	case sectionData:
		return rw.readData(r)
	case sectionDataCount:
		rw.datas = int(r.u32())
		if rw.datas > len(rw.src) {
			r.fail("%d data segments", rw.datas)
		}
		return appendU(nil, uint64(rw.datas))
	case sectionTag:
		n := r.count(2)
		start := r.pos
		for range n {
			rw.tag(r)
		}
		return append(appendU(nil, uint64(n)), r.b[start:r.pos]...)
	}
	return nil
}
