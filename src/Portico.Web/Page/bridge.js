const bootstrap="{{bootstrap}}",carrierMode="{{carrierMode}}",batchLimit=2097152;
const base="{{base}}",carriers="{{carriers}}";
