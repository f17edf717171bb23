export interface Book {
  readonly id: number
  title: string
  author: string
  year: number
  rating: 1 | 2 | 3 | 4 | 5
  read: boolean
}

export enum Order { Title = 'title', Year = 'year', Rating = 'rating' }

export const books: Book[] = [
  { id: 1, title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin', year: 1969, rating: 5, read: true },
  { id: 2, title: 'Invisible Cities', author: 'Italo Calvino', year: 1972, rating: 4, read: false },
  { id: 3, title: 'Frankenstein', author: 'Mary Shelley', year: 1818, rating: 4, read: true },
]

export function sorted(list: readonly Book[], order: Order): Book[] {
  return [...list].sort((a, b) => (a[order] < b[order] ? -1 : a[order] > b[order] ? 1 : a.id - b.id))
}
