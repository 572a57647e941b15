/** Returns a document like the AWS sample's example of automatic context: device, time of day, city, and a metro code for a filter. */
export function autoContextConfig (): object {
  const device = (header: string, mapTo: string): object => ({ type: 'header-value', header, valueMappings: [{ operator: 'equals', value: 'true', mapTo }] })
  const hours = ([['less-than', 4, 'Night'], ['less-than', 11, 'Morning'], ['less-than', 18, 'Afternoon'], ['less-than', 22, 'Evening'], ['greater-than', 21, 'Night']] as const)
    .map(([operator, value, mapTo]) => ({ operator, value, mapTo }))
  const arn = (resource: string): string => `arn:aws:personalize:us-west-2:123456789012:${resource}`
  const metroCode = { type: 'string', rules: [{ type: 'header-value', header: 'cloudfront-viewer-metro-code' }] }
  const variations = {
    'product-personalization': { type: 'personalize-campaign', arn: arn('campaign/products'), filters: [{ arn: arn('filter/near'), autoDynamicFilterValues: { METRO_CODE: metroCode } }] }
  }
  return {
    version: '1',
    namespaces: {
      'my-store': {
        inferenceItemMetadata: { type: 'localdb' },
        autoContext: {
          deviceType: {
            type: 'string',
            default: 'Desktop',
            evaluateAll: true,
            rules: [device('cloudfront-is-desktop-viewer', 'Desktop'), device('cloudfront-is-mobile-viewer', 'Phone'), device('cloudfront-is-smarttv-viewer', 'TV'), device('cloudfront-is-tablet-viewer', 'Tablet')]
          },
          timeOfDay: { type: 'string', evaluateAll: false, rules: [{ type: 'hour-of-day', valueMappings: hours }] },
          city: { type: 'string', rules: [{ type: 'header-value', header: 'cloudfront-viewer-city' }] }
        },
        recommenders: { 'recommend-items': { 'product-recommender': { variations } } },
        eventTargets: [{ type: 'personalize-event-tracker', trackingId: 'tracker' }]
      }
    }
  }
}

/** The headers that CloudFront sends for a phone in San Francisco. */
export const phoneInSanFrancisco = {
  'CloudFront-Is-Desktop-Viewer': 'false',
  'CloudFront-Is-Mobile-Viewer': 'true',
  'CloudFront-Is-SmartTV-Viewer': 'false',
  'CloudFront-Is-Tablet-Viewer': 'false',
  'CloudFront-Viewer-City': 'San Francisco',
  'CloudFront-Viewer-Metro-Code': '807',
  'CloudFront-Viewer-Time-Zone': 'America/Los_Angeles'
}
