export const Field = ({ name, type = 'text' }: { name: string; type?: string }) => <label>{name[0].toUpperCase() + name.slice(1)} <input name={name} type={type} /></label>
