import { useReducer, useState } from 'react'
import { books, Order } from './books'
import { reduce } from './state'
import { Layout } from '@/Layout'
import { Header } from '@/Header'
import { Sidebar } from '@/Sidebar'
import { Shelf } from '@/Shelf'
import { Search } from '@/Search'
import { Statistics } from '@/Statistics'
import { AddBook } from '@/AddBook'
import { Tabs } from '@/Tabs'
import { Footer } from '@/Footer'

export function App() {
  const [state, dispatch] = useReducer(reduce, { books, order: Order.Title, query: '' })
  const [tab, setTab] = useState<"Shelf" | "Statistics" | "Add">("Shelf")
  return (
    <Layout header={<Header title="Shelf" count={state.books.length} />} sidebar={<Sidebar order={state.order} dispatch={dispatch} />} footer={<Footer />}>
      <Tabs names={['Shelf', 'Statistics', 'Add']} current={tab} onChange={setTab}>
        {{
          Shelf: () => <><Search value={state.query} dispatch={dispatch} /><Shelf {...state} dispatch={dispatch} /></>,
          Statistics: () => <Statistics books={state.books} />,
          Add: () => <AddBook dispatch={dispatch} />,
        }}
      </Tabs>
    </Layout>
  )
}
