import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { fortanixDescription } from './dialects/fortanix/description.ts'
import { isFortanixPath } from './dialects/fortanix/plugin.ts'
import { privxDescription } from './dialects/privx/description.ts'
import { isPrivxPath } from './dialects/privx/plugin.ts'
import { markOptionalBodies, schemasOf, type ApiDescription } from './dialects/shared/api-description.ts'

type Document = NonNullable<FastifyDynamicSwaggerOptions['openapi']>
type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>

const [openapi, version] = ['3.1.0', '0.1.0']

const native = {
  openapi,
  info: {
    title: 'Quorate, native API',
    version,
    description: 'The Approvio API, with additions under /v1. Refusals: {code, message, details?}; see docs/errors.md.',
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      cookie: { type: 'apiKey', in: 'cookie', name: 'access_token' },
    },
  },
  security: [{ bearer: [] }, { cookie: [] }],
} satisfies Document

/** The descriptions of the other dialects, by where they are. */
const others = {
  '/privx/openapi.json': { description: privxDescription, owns: isPrivxPath },
  '/fortanix/openapi.json': { description: fortanixDescription, owns: isFortanixPath },
} as const

/**
 * One description for each dialect, and pages to read them. To be registered before any route.
 *
 * The native API describes its routes where they are; whatever the other dialects' tables do not tell of is in their
 * descriptions by its path alone.
 */
export async function describeApis(app: FastifyInstance): Promise<void> {
  const isOthers = (url: string) => isPrivxPath(url) || isFortanixPath(url)
  const transform: Transform = ({ schema, url }) => ({ schema: hiddenIf(isOthers(url), schema), url })
  await app.register(swagger, { openapi: native, transform })
  for (const [path, { description, owns }] of Object.entries(others)) {
    const decorator = `${path} description`
    const schemaOf = schemasOf(description)
    const transformOthers: Transform = ({ schema, url, route }) => ({
      schema: owns(url) ? schemaOf(String(route.method), url) : hiddenIf(true, schema),
      url,
    })
    // The plugin adds the name of the decorator to the type of the server, where it is a name that is known.
    await app.register(swagger, {
      openapi: documentOf(description),
      transform: transformOthers,
      transformObject: withOptionalBodies,
      decorator: decorator as 'swagger',
    })
    app.get(path, { schema: { hide: true } }, async () => app.getDecorator<() => object>(decorator)())
  }
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  const urls = ['/openapi.json', ...Object.keys(others)].map((url) => ({ url, name: url }))
  await app.register(swaggerUi, { routePrefix: '/docs', indexPrefix: '', uiConfig: { urls } })
}

const withOptionalBodies: NonNullable<FastifyDynamicSwaggerOptions['transformObject']> = (made) => {
  if (!('openapiObject' in made)) return made.swaggerObject
  markOptionalBodies(made.openapiObject.paths ?? {})
  return made.openapiObject
}

const hiddenIf = (isHidden: boolean, schema: object) => (isHidden ? { ...schema, hide: true } : schema)

function documentOf({ title, description, securitySchemes, security }: ApiDescription): Document {
  return { openapi, info: { title, version, description }, components: { securitySchemes }, security }
}
