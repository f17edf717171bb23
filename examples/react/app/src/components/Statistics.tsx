import type { Book } from '../books'
import { Table } from './Table'
import { Progress } from './Progress'

export function Statistics({ books }: { books: Book[] }) {
  const read = books.filter((b) => b.read).length
  const mean = books.reduce((sum, b) => sum + b.rating, 0) / (books.length || 1)
  return <><Progress value={read} max={books.length} /><Table rows={[['Books', books.length], ['Read', read], ['Mean rating', mean.toFixed(1)]]} /></>
}
