import { useRef } from 'react'
import type { Send } from '../state'
import { Field } from './Field'
import { Button } from './Button'

export function AddBook({ dispatch }: Send) {
  const form = useRef<HTMLFormElement>(null)
  const add = () => {
    const data = new FormData(form.current!)
    dispatch({ type: 'add', book: { title: String(data.get('title')), author: String(data.get('author')), year: Number(data.get('year')), rating: 3, read: false } })
  }
  return <form ref={form}><Field name="title" /><Field name="author" /><Field name="year" type="number" /><Button onClick={add}>Add</Button></form>
}
