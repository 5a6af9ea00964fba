import type { Begin } from './contract.ts'

export function modelContract(_name: string, _begin: Begin): void {}
