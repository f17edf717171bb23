import { useMemo } from 'react'
import { sorted } from '../books'
import type { Send, State } from '../state'
import { BookCard } from './BookCard'
import { Empty } from './Empty'

export function Shelf({ books, order, query, dispatch }: State & Send) {
  const shown = useMemo(() => sorted(books, order).filter((b) => `${b.title} ${b.author}`.toLowerCase().includes(query.toLowerCase())), [books, order, query])
  if (shown.length === 0) return <Empty query={query} />
  return <ul>{shown.map((book) => <BookCard key={book.id} book={book} dispatch={dispatch} />)}</ul>
}
