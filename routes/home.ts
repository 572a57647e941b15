import type { App } from './route.ts'

/** Leads who opens the address of the gateway to its documentation. */
export default async function home (app: App): Promise<void> {
  app.get('/', { config: { access: 'public' }, schema: { hide: true } }, async ({ url }, reply) => {
    const path = url.split('?', 1)[0]!
    // The target is relative, since a proxy may serve the gateway below a path of its own.
    return reply.redirect(path.endsWith('/') ? './docs' : `./${path.slice(path.lastIndexOf('/') + 1)}/docs`)
  })
}
