import swaggerUi from '@fastify/swagger-ui';
import type { Api } from '../http/fastify.types.ts';

const self = "'self'";

/** Loads from this service only. Icons of the page are `data:` URLs; styles are set by script, never inline in HTML. */
export const docsSecurityPolicy = {
  'default-src': "'none'",
  'connect-src': self,
  'script-src': self,
  'style-src': self,
  'img-src': `${self} data:`,
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

// Types that a browser accepts for a page, its scripts and images.
const produces = ['text/html', 'application/javascript', 'text/css', 'image/png', 'application/json'];

/** `/docs/`: the reference page, without external files. It can try every operation, with a token if needed. */
export function docsPage(app: Api): void {
  const csp = Object.entries(docsSecurityPolicy)
    .map(([directive, value]) => `${directive} ${value}`)
    .join('; ');
  app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, public: true, produces, csp };
    });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: docsSecurityPolicy,
      validatorUrl: false,
      theme: { title: 'Symbol onboarding: API reference' },
      uiConfig: {
        layout: 'BaseLayout',
        docExpansion: 'list',
        displayOperationId: true,
        displayRequestDuration: true,
        defaultModelsExpandDepth: 0,
        showExtensions: true,
      },
    });
  });
}
