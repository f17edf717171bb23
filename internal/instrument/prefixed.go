package instrument

import "strings"

// misc reads an instruction behind 0xfc. Its number must be one byte, though the format allows a longer form.
func (s *scanner) misc(start int) {
	switch sub := s.byte(); sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating truncation
		s.weigh(start, 1)
	case 8: // memory.init
		s.dataIndex(start)
		s.memoryIndex()
		s.bulk(start, bulkBytes)
	case 9: // data.drop
		s.dataIndex(start)
		s.rw.dropsData = true
		s.weigh(start, 1)
	case 10: // memory.copy
		s.memoryIndex()
		s.memoryIndex()
		s.bulk(start, bulkBytes)
	case 11: // memory.fill
		s.memoryIndex()
		s.bulk(start, bulkBytes)
	case 12: // table.init
		s.index(s.rw.elems, "element segment")
		s.tableChange()
		s.bulk(start, bulkElems)
	case 13: // elem.drop
		s.index(s.rw.elems, "element segment")
		s.rw.reason("drops an element segment")
		s.weigh(start, 1)
	case 14: // table.copy
		s.tableChange()
		s.index(s.rw.tables, "table")
		s.bulk(start, bulkElems)
	case 15: // table.grow
		s.tableChange()
		s.weigh(start, weightGrow)
		s.bulk(start, bulkElems)
	case 16: // table.size
		s.index(s.rw.tables, "table")
		s.weigh(start, 1)
	case 17: // table.fill
		s.tableChange()
		s.bulk(start, bulkElems)
	default:
		s.failAt(start, "unknown instruction 0xfc %#x", sub)
	}
}

func (s *scanner) dataIndex(start int) {
	if s.rw.sections[sectionDataCount] == nil {
		s.failAt(start, "no data count section")
	}
	s.index(s.rw.datas, "data segment")
}

func (s *scanner) tableChange() {
	s.rw.lazy = nil
	s.index(s.rw.tables, "table")
	s.rw.reason("changes a table")
}

func (s *scanner) bulk(start, shift int) {
	s.cur.scratch = true
	s.event(start, evBulk, uint32(shift))
}

// vectorGaps are the numbers below 0x100 that no vector instruction has.
const vectorGaps = "\x9a\xa2\xa5\xa6\xaf\xb0\xb2\xb3\xb4\xbb\xc2\xc5\xc6\xcf\xd0\xd2\xd3\xd4\xe2\xee"

// vector reads an instruction behind 0xfd. Its number must be in its shortest form, though the format allows longer ones.
func (s *scanner) vector(start int) {
	sub := s.byte()
	if sub >= 0x80 && s.byte() != 1 || strings.IndexByte(vectorGaps, sub) >= 0 {
		s.failAt(start, "unknown vector instruction")
		return
	}
	switch {
	case sub <= 11, sub == 92, sub == 93: // loads and stores
		s.memoryArg()
	case sub == vecConst:
		s.bytes(16)
	case sub == 13: // i8x16.shuffle
		for range 16 {
			s.lane(32)
		}
	case sub >= 21 && sub <= 34: // lanes
		s.lane(16)
	case sub >= 84 && sub <= 91: // loads and stores of lanes
		s.memoryArg()
		s.lane(16)
	}
}

func (s *scanner) lane(n byte) {
	if start := s.pos; s.byte() >= n {
		s.failAt(start, "lane of %d", n)
	}
}

// atomic reads an instruction behind 0xfe, whose number must be one byte.
func (s *scanner) atomic(start int) {
	switch sub := s.byte(); {
	case sub == 3: // atomic.fence
		s.zero("fence")
	case sub <= 2, sub >= 0x10 && sub <= 0x4e:
		s.memoryArg()
	default:
		s.failAt(start, "unknown atomic instruction %#x", sub)
	}
}
