import { hydrateRoot } from 'react-dom/client'
import { App } from './app'
import './style.css'

hydrateRoot(document.getElementById('root')!, <App />)
