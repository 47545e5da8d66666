import { testStatements } from '../../helpers/statements.ts'
import { statements } from './statements.ts'

testStatements(statements)
