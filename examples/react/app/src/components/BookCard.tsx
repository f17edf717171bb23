import type { Book } from '../books'
import type { Send } from '../state'
import { Card } from './Card'
import { Stars } from './Stars'
import { Button } from './Button'

export const BookCard = ({ book, dispatch }: Send & { book: Book }) => (
  <li>
    <Card title={book.title}>
      <p>{book.author}, {book.year}{book.read && ' ✓'}</p>
      <Stars value={book.rating} onRate={(rating) => dispatch({ type: 'rate', id: book.id, rating })} />
      <Button onClick={() => dispatch({ type: 'toggle', id: book.id })}>{book.read ? 'Unread' : 'Read'}</Button>
      <Button onClick={() => dispatch({ type: 'remove', id: book.id })}>Remove</Button>
    </Card>
  </li>
)
