import { expect, it } from 'vitest'
import { parseUniqueMembers } from './unique-members.ts'

it.each([
  '{}',
  '{"a":1}',
  '{"a":1,"b":2}',
  '{"a":{"a":1,"b":{"a":2}},"b":[{"a":1},{"a":2}]}',
  '{"a":"b","b":"a"}',
  '{"a":":","b":"{","c":"}\\"{","d":"\\\\"}',
  '{"a":[1,2,"x"],"b":[[]],"c":{}}',
  ' { "a" : -1.5e3 , "b" : true , "c" : null } ',
])('gives the object %s', (text) => {
  expect(parseUniqueMembers(text)).toEqual(JSON.parse(text))
})

it.each([
  '{"a":1,"a":1}',
  '{"a":1,"b":2,"a":3}',
  '{"a":1,"\\u0061":2}',
  '{"a":{"b":1},"a":2}',
  '{"b":[{"x":1},[2]],"a":1,"a":2}',
  '{"a":"\\"","a":2}',
  '{"\\\\":1,"\\\\":2}',
  '{"a" :1, "a"\n:2}',
])('gives null for %s, where a name stands twice', (text) => {
  expect(parseUniqueMembers(text)).toBeNull()
})

it.each(['null', '[]', '[{}]', '7', '"a"', 'true'])('gives null for %s, which is no object', (text) => {
  expect(parseUniqueMembers(text)).toBeNull()
})

it.each(['', '{', '{"a":1,}', "{'a':1}"])('throws for %j, which is no JSON', (text) => {
  expect(() => parseUniqueMembers(text)).toThrow(SyntaxError)
})
