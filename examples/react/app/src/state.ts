import type { Dispatch } from 'react'
import type { Book, Order } from './books'

export interface State { books: Book[]; order: Order; query: string }

export type Action =
  | { type: 'add'; book: Omit<Book, 'id'> }
  | { type: 'remove'; id: number }
  | { type: 'toggle'; id: number }
  | { type: 'rate'; id: number; rating: Book['rating'] }
  | { type: 'order'; order: Order }
  | { type: 'search'; query: string }

export type Send = { dispatch: Dispatch<Action> }

export function reduce(state: State, action: Action): State {
  const change = (id: number, part: Partial<Book>) => ({ ...state, books: state.books.map((b) => (b.id === id ? { ...b, ...part } : b)) })
  switch (action.type) {
    case 'add': return { ...state, books: [...state.books, { ...action.book, id: 1 + Math.max(0, ...state.books.map((b) => b.id)) }] }
    case 'remove': return { ...state, books: state.books.filter((b) => b.id !== action.id) }
    case 'toggle': return change(action.id, { read: !state.books.find((b) => b.id === action.id)?.read })
    case 'rate': return change(action.id, { rating: action.rating })
    case 'order': return { ...state, order: action.order }
    case 'search': return { ...state, query: action.query }
  }
}
