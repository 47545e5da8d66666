/** The people of the demo organization (design §8): who the development sign-in offers and the seed registers. */
export const demoPeople = [
  { name: 'Ada', email: 'ada@example.com' },
  { name: 'Ben', email: 'ben@example.com' },
  { name: 'Cleo', email: 'cleo@example.com' },
  { name: 'Dana', email: 'dana@example.com' },
  { name: 'Eli', email: 'eli@example.com' },
] as const
