/** `npm run bench -- NAME`: one benchmark, in this process. */
const names = ['quick', 'search', 'store', 'flood', 'judge']

const [name = ''] = process.argv.slice(2)
if (names.includes(name)) await import(`./${name}.ts`)
else {
  console.error(`usage: npm run bench -- ${names.join('|')} [--save] [--only NAME] [--quick] [--json]`)
  process.exitCode = 2
}
