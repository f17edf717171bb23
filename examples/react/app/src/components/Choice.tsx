import { useId } from 'react'

export function Choice({ label, checked, onChange }: { label: string; checked: boolean; onChange(): void }) {
  const id = useId()
  return <p><input id={id} type="radio" checked={checked} onChange={onChange} /><label htmlFor={id}>{label}</label></p>
}
